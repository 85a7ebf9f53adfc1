"""The list that tells what the cloud is about to do to instances itself.

Source: ShowInstanceScheduleEvents (huaweicloudsdkgaussdb schedule_event_info.py, execute_window.py). Times are in UTC.
"""

from datetime import UTC, datetime
from math import ceil, inf
from typing import Any

from orchestrator.simulator.calls.paging import whole_number
from orchestrator.simulator.chance import hexadecimal
from orchestrator.simulator.profile_events import Events
from orchestrator.simulator.wire import Refusal, Reply, answer, gateway_error
from orchestrator.simulator.world.moments import stamp
from orchestrator.simulator.world.own_events import OwnEvent
from orchestrator.simulator.world.views import Views
from orchestrator.simulator.world.world import Project

_CATEGORIES = {"db_upgrade": "lifecycle", "rebuild_node": "lifecycle", "high_cpu_memory": "scheduled_event"}
_MAX_OFFSET = 10**9
_MINUTE_S = 60


class EventList:
    """Answers what the cloud is about to do."""

    def __init__(self, faults: Events, events: list[OwnEvent], views: Views, *, seed: int, skew_s: float) -> None:
        self._faults = faults
        self._events = events
        self._views = views
        self._seed = seed
        self._skew_s = skew_s

    def show(self, project: Project, query: dict[str, str], t: float) -> Reply:
        """ShowInstanceScheduleEvents.

        Raises:
            Refusal: nobody may ask.
        """
        if self._faults.absent:
            return gateway_error(404, "APIGW.0101", "The API does not exist or has not been published.", "")
        if self._faults.denied:
            raise Refusal(403, "DBS.200011", "Policy doesn't allow gaussdb:instance:list to be performed.")
        offset = whole_number(query, "offset", 0, (0, _MAX_OFFSET))
        limit = whole_number(query, "limit", 10, (1, 100))
        rows = [
            self._row(each, t) for each in self._events if each.instance.project is project and t >= each.listed_from
        ]
        found = [
            row
            for row in rows
            if all(row[key] == query.get(key, row[key]) for key in ("instance_id", "status", "type"))
        ]
        return answer({"total_count": len(found), "events": found[offset : offset + limit]})

    def _row(self, event: OwnEvent, t: float) -> dict[str, Any]:
        row: dict[str, Any] = {
            "id": hexadecimal(32, self._seed, "own_event", event.instance.instance_id, event.starts) + "ev07",
            "type": f"system.{_CATEGORIES[event.type]}.{event.type}",
            "status": event.status(t),
            "instance_id": event.instance.instance_id,
            "instance_name": self._views.name(event.instance),
            "db_type": "gaussdb-mysql",
        }
        return row | self._times(event) if event.dated else row

    def _times(self, event: OwnEvent) -> dict[str, Any]:
        starts = event.starts + self._skew_s
        times: dict[str, Any] = {"execute_time": stamp(starts)}
        if event.ends < inf:
            first, last = starts // _MINUTE_S * _MINUTE_S, ceil((event.ends + self._skew_s) / _MINUTE_S) * _MINUTE_S
            window = {"start_time": _clock(first, "%H:%M"), "end_time": _clock(last, "%H:%M")}
            times["execution_time_window"] = {"planned_execution_day": _clock(first, "%Y-%m-%d"), **window}
        return times


def _clock(t: float, form: str) -> str:
    return datetime.fromtimestamp(t, UTC).strftime(form)
