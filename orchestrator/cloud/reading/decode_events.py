"""What the cloud is about to do to instances by itself, as its two lists tell it.

Fields: `huaweicloudsdkgaussdb` 3.1.219, schedule_event_info.py, execute_window.py, schedule_task.py. In which zone the
times of a window are is not documented; they are taken for UTC, as `execute_time` is.
"""

from datetime import datetime, timedelta
from typing import Any

from orchestrator.cloud.reading.decode import NotUnderstood, read_object, read_page
from orchestrator.cloud.reading.lenient import instant, intact, objects, text
from orchestrator.model.reply.cloud_event import CloudEvent
from orchestrator.model.reply.reply import EventPage, Page

#: Types of events that touch what an upgrade touches; a high load is none.
_TOUCHING = ("db_upgrade", "rebuild_node")

#: States of what is ahead, and of what is under way.
_AHEAD = frozenset({"inquiring", "scheduled", "pending"})
_RUNNING = frozenset({"executing", "running"})


def schedule_events(body: bytes) -> EventPage:
    """ShowInstanceScheduleEvents: upgrades of the database and nodes that are built again.

    Raises:
        NotUnderstood: the body is no such list.
    """
    page = read_page(read_object(body), "events")
    return _events(page, [_event(row) for row in page.rows if _type(row) in _TOUCHING])


def scheduled_jobs(body: bytes) -> EventPage:
    """ListScheduleJobs: what persons have put into a maintenance window, whatever it is.

    Raises:
        NotUnderstood: the body is no such list.
    """
    page = read_page(read_object(body), "schedules")
    return _events(page, [_job(row) for row in page.rows])


def _events(page: Page, events: list[CloudEvent | None]) -> EventPage:
    rows = len(page.rows)
    return EventPage(tuple(filter(None, events)), rows, rows if page.total_count is None else page.total_count)


def _type(row: dict[str, Any]) -> str:
    return (text(row.get("type")) or "").rpartition(".")[2]


def _event(row: dict[str, Any]) -> CloudEvent | None:
    starts, ends = _window(row)
    exact = instant(row.get("execute_time"))
    return _of(row, _type(row), row.get("status"), exact or starts, ends)


def _job(row: dict[str, Any]) -> CloudEvent | None:
    what = text(row.get("job_name")) or "a scheduled task"
    return _of(row, what, row.get("job_status"), instant(row.get("start_time")), instant(row.get("end_time")))


def _of(
    row: dict[str, Any], what: str, status: Any, starts: datetime | None, ends: datetime | None
) -> CloudEvent | None:
    """The event of a row; None when it is over.

    Raises:
        NotUnderstood: it is not, and nobody can say on which instance.
    """
    state = (text(status) or "").strip().lower()
    if state not in _AHEAD | _RUNNING:
        return None
    instance_id = intact(row.get("instance_id"))
    if instance_id is None:
        raise NotUnderstood(f"{what} without an instance_id that can be read may be of any instance")
    later = ends if ends is not None and starts is not None and ends > starts else None
    return CloudEvent(instance_id=instance_id, what=what, starts=starts, ends=later, running=state in _RUNNING)


def _window(row: dict[str, Any]) -> tuple[datetime | None, datetime | None]:
    """Begin and end of `execution_time_window`; an end before the begin is on the next day."""
    said = next(iter(objects(row.get("execution_time_window"))), {})
    day = text(said.get("planned_execution_day")) or text(said.get("planned_day"))
    starts, ends = (instant(f"{day}T{text(said.get(key))}:00Z") for key in ("start_time", "end_time"))
    return starts, ends + timedelta(days=1) if starts and ends and ends <= starts else ends
