"""The calls about upgrades that the console has put into a maintenance window: the cloud's own plans.

Sources: ListScheduleJobs, CheckScheduleTaskExist (a POST that only reads). Nothing scheduled ever begins here: its
window stays ahead.
"""

from typing import Any

import msgspec

from orchestrator.simulator.calls.paging import whole_number
from orchestrator.simulator.chance import hexadecimal
from orchestrator.simulator.wire import Refusal, Reply, answer
from orchestrator.simulator.world.moments import stamp
from orchestrator.simulator.world.views import Views
from orchestrator.simulator.world.world import Project, Proxy

_MAX_OFFSET = 10**9
_HOUR = 3600
_DAY = 24 * _HOUR


class _Exist(msgspec.Struct, frozen=True):
    schedule_type: str
    proxy_id: str | None = None


class Schedules:
    """Answers about scheduled upgrades."""

    def __init__(self, views: Views, *, seed: int, skew_s: float) -> None:
        self._views = views
        self._seed = seed
        self._skew_s = skew_s

    def scheduled(self, project: Project, query: dict[str, str], t: float) -> Reply:
        """ListScheduleJobs: upgrades that the console has put into the maintenance window."""
        offset = whole_number(query, "offset", 0, (0, _MAX_OFFSET))
        limit = whole_number(query, "limit", 100, (1, 100))
        rows = [self._schedule(proxy, t) for proxy in project.proxies.values() if proxy.scheduled]
        wanted = {"job_id": "job_id", "job_name": "job_name", "instance_id": "instance_id", "status": "job_status"}
        found = [
            row for row in rows if all(row[field] == query.get(name, row[field]) for name, field in wanted.items())
        ]
        return answer({"total_count": len(found), "schedules": found[offset : offset + limit]})

    def exists(self, proxies: list[Proxy], body: bytes, t: float) -> Reply:
        """CheckScheduleTaskExist, for the proxies of one instance."""
        try:
            asked = msgspec.json.decode(body, type=_Exist)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Refusal(400, "DBS.280001", "Parameter error.") from error
        if asked.schedule_type != "PROXY_VERSION_UPGRADE":
            return answer({"exist": False, "scheduled_tasks": []})
        found = [proxy for proxy in proxies if proxy.scheduled and asked.proxy_id in {None, proxy.proxy_id}]
        return answer({"exist": bool(found), "scheduled_tasks": [self._task(proxy, t) for proxy in found]})

    def _schedule(self, proxy: Proxy, t: float) -> dict[str, Any]:
        starts_at = self._window_at(t)
        return {
            "job_id": hexadecimal(32, self._seed, "scheduled", proxy.proxy_id),
            "instance_id": proxy.instance.instance_id,
            "instance_name": self._views.name(proxy.instance),
            "instance_status": "normal",
            "project_id": proxy.instance.project.project_id,
            "job_name": "PROXY_VERSION_UPGRADE",
            "create_time": stamp(starts_at - 2 * _DAY),
            "start_time": stamp(starts_at),
            "end_time": stamp(starts_at + 4 * _HOUR),
            "job_status": "Pending",
            "datastore_type": "gaussdb-mysql",
            "target_config": {"target_version": proxy.latest_version},
            "proxy_id": proxy.proxy_id,
            "proxy_name": self._views.proxy_name(proxy),
        }

    def _task(self, proxy: Proxy, t: float) -> dict[str, Any]:
        starts_at = self._window_at(t)
        return {
            "task_id": hexadecimal(32, self._seed, "scheduled", proxy.proxy_id),
            "task_name": "PROXY_VERSION_UPGRADE",
            "task_status": "WAITING",
            "task_order": 1,
            "create_time": int(1000 * (starts_at - 2 * _DAY)),
            "start_time": int(1000 * starts_at),
            "end_time": int(1000 * (starts_at + 4 * _HOUR)),
            "instance_id": proxy.instance.instance_id,
            "instance_name": self._views.name(proxy.instance),
            "instance_status": "normal",
            "project_id": proxy.instance.project.project_id,
            "proxy_id": proxy.proxy_id,
            "proxy_name": self._views.proxy_name(proxy),
            "datastore_type": "gaussdb-mysql",
            "target_config": {"target_version": proxy.latest_version},
        }

    def _window_at(self, t: float) -> float:
        """The same hour of the day after tomorrow: always ahead, so that it never begins."""
        return (t + self._skew_s) // _HOUR * _HOUR + 2 * _DAY
