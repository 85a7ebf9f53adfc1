"""What the cloud's two lists of its own events come to."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from orchestrator.cloud.reading.decode import NotUnderstood
from orchestrator.cloud.reading.decode_events import schedule_events, scheduled_jobs
from orchestrator.model.reply.cloud_event import CloudEvent

INSTANCE = "11112222333344445555666677778888in07"


def event(**fields: Any) -> tuple[CloudEvent, ...]:
    row = {"instance_id": INSTANCE, "type": "system.lifecycle.db_upgrade", "status": "scheduled", **fields}
    return schedule_events(msgspec.json.encode({"total_count": 1, "events": [row]})).events


def day(number: int, hour: int) -> datetime:
    return datetime(2026, 11, number, hour, tzinfo=UTC)


def test_a_window_that_ends_before_it_begins_ends_on_the_next_day() -> None:
    window = {"planned_execution_day": "2026-11-27", "start_time": "23:00", "end_time": "02:00"}
    (found,) = event(execution_time_window=window)
    assert found == CloudEvent(instance_id=INSTANCE, what="db_upgrade", starts=day(27, 23), ends=day(28, 2))


def test_a_time_of_execution_is_more_exact_than_its_window() -> None:
    window = {"planned_execution_day": "2026-11-27", "start_time": "20:00", "end_time": "23:00"}
    (found,) = event(execution_time_window=window, execute_time="2026-11-27T21:00:00Z")
    assert (found.starts, found.ends) == (day(27, 21), day(27, 23))


@pytest.mark.parametrize("status", ["completed", "canceled", "failed", None])
def test_what_is_over_is_none(status: str | None) -> None:
    assert event(status=status) == ()


def test_a_high_load_is_nothing_that_the_cloud_does() -> None:
    assert event(type="system.scheduled_event.high_cpu_memory") == ()


def test_what_is_under_way_needs_no_time() -> None:
    (found,) = event(status="executing")
    assert (found.running, found.starts, found.ends) == (True, None, None)


def test_a_task_of_the_console_counts_whatever_it_is() -> None:
    row = {"instance_id": INSTANCE, "job_name": "RESIZE_FLAVOR", "job_status": "Pending"}
    row |= {"start_time": "2026-11-27T21:00:00+0000", "end_time": "2026-11-27T23:00:00+0000"}
    page = scheduled_jobs(msgspec.json.encode({"total_count": 7, "schedules": [row]}))
    wanted = CloudEvent(instance_id=INSTANCE, what="RESIZE_FLAVOR", starts=day(27, 21), ends=day(27, 23))
    assert (page.events, page.rows, page.total) == ((wanted,), 1, 7)


def test_an_event_of_an_instance_that_cannot_be_read_may_be_of_any() -> None:
    with pytest.raises(NotUnderstood):
        event(instance_id=None)
