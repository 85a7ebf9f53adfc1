"""The calls about jobs: by id, and the list of the immediate ones.

Sources: ShowGaussMySqlJobInfo, ListImmediateJobs (`limit` only 10, 20 or 50; `offset` from 1). Only the last month is
kept. Instants are shown by the cloud's clock.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from orchestrator.simulator.calls.paging import job_page, whole_number
from orchestrator.simulator.chance import pick, unit
from orchestrator.simulator.profile import Lists, Paging
from orchestrator.simulator.wire import Refusal, Reply, answer
from orchestrator.simulator.world.jobs import UPGRADE_JOB, JobPlanner, progress
from orchestrator.simulator.world.moments import parse_stamp, stamp
from orchestrator.simulator.world.views import Views
from orchestrator.simulator.world.world import Job, Project, World

KEPT_S = 30 * 24 * 3600
_LIMITS = frozenset({10, 20, 50})
_MAX_OFFSET = 10**9
_UNENDED = frozenset({"Pending", "Running", "Unauthorized"})
#: From the documented values of `job_name`, and the one that proxy upgrades have here.
ACTION_NAMES = (
    "CreateGaussDBforMySQLInstance",
    "RebootGaussDBforMySQLInstance",
    "ResizeGaussDBforMySQLFlavor",
    "UpgradeGaussDBforMySQLDatabaseVersion",
    "EnlargeGaussDBforMySQLProxy",
    "OpenGaussDBforMySQLProxy",
    "CloseGaussDBforMySQLProxy",
    "ScaleGaussDBforMySQLProxy",
    UPGRADE_JOB,
)


class JobLists:
    """Answers about jobs."""

    def __init__(
        self, world: World, planner: JobPlanner, views: Views, lists: Lists, *, seed: int, skew_s: float
    ) -> None:
        self._world = world
        self._planner = planner
        self._views = views
        self._lists = lists
        self._seed = seed
        self._skew_s = skew_s
        self._listings: Counter[str] = Counter()

    def job(self, project: Project, query: dict[str, str], t: float) -> Reply:
        """ShowGaussMySqlJobInfo; 400 DBS.200543 for a job that cannot be found (yet)."""
        job = self._world.jobs.get(query.get("id", ""))
        if job is None or job.project is not project or job.fate.seen == "not_by_id" or not _kept(job, t):
            raise Refusal(400, "DBS.200543", "The job does not exist.")
        body = {
            "id": job.job_id,
            "name": job.name,
            "status": job.status(t),
            "created": self._shown(job.created),
            "ended": self._shown(job.ends_at) if t >= job.ends_at else "",
            "process": progress(job, t),
            "instance": {"id": job.instance.instance_id, "name": self._views.name(job.instance)},
            "entities": {},
            "fail_reason": self._planner.fail_reason(job, t),
        }
        return answer({"job": body})

    def immediate(self, project: Project, query: dict[str, str], t: float) -> Reply:
        """ListImmediateJobs, the newest first."""
        limit = whole_number(query, "limit", 10, (1, 50))
        if limit not in _LIMITS:
            raise Refusal(400, "DBS.280001", "Parameter error: limit.")
        offset = whole_number(query, "offset", 1, (1, _MAX_OFFSET))
        rows = list(self._matching(project, query, t))
        paging: Paging = pick(self._lists.job_paging, unit(self._seed, "job_paging", project.project_id)) or "page"
        self._listings[project.project_id] += 1
        shown, total = job_page(rows, offset, limit, paging, self._listings[project.project_id])
        body = {"total_count": total, "action_names": ACTION_NAMES, "jobs": [self._row(job, t) for job in shown]}
        return answer(body)

    def _matching(self, project: Project, query: dict[str, str], t: float) -> Iterator[Job]:
        tests = self._tests(query, t)
        for job in self._candidates(project, query, t):
            if job.fate.seen != "not_listed" and _kept(job, t) and all(test(job) for test in tests):
                yield job

    def _candidates(self, project: Project, query: dict[str, str], t: float) -> Iterator[Job]:
        """The newest first; no more than need to be looked at."""
        if "job_id" in query:
            known = self._world.jobs.get(query["job_id"])
            return iter([known] if known is not None and known.project is project else [])
        if query.get("status") in _UNENDED:
            return reversed(project.unended_jobs(t))
        if "start_time" in query:
            earliest = self._instant(query["start_time"]) - self._skew_s
            first = bisect_left(project.jobs, earliest - 1, key=lambda job: job.created)
            return (project.jobs[place] for place in range(len(project.jobs) - 1, first - 1, -1))
        return reversed(project.jobs)

    def _tests(self, query: dict[str, str], t: float) -> list[Callable[[Job], bool]]:
        tests: list[Callable[[Job], bool]] = []
        if "status" in query:
            tests.append(lambda job: job.status(t) == query["status"])
        if "job_name" in query:
            tests.append(lambda job: job.name == query["job_name"])
        if "start_time" in query:
            earliest = self._instant(query["start_time"])
            tests.append(lambda job: int(job.created + self._skew_s) >= earliest)
        if "end_time" in query:
            latest = self._instant(query["end_time"])
            tests.append(lambda job: int(job.created + self._skew_s) <= latest)
        return tests

    def _instant(self, text: str) -> float:
        parsed = parse_stamp(text)
        if parsed is None:
            raise Refusal(400, "DBS.280001", "Parameter error: the form of a time is yyyy-mm-ddThh:mm:ssZ.")
        return parsed

    def _row(self, job: Job, t: float) -> dict[str, Any]:
        named = unit(self._seed, "jobs_name_proxy", job.project.project_id) < self._lists.jobs_name_proxy
        return {
            "instance_id": job.instance.instance_id,
            "instance_name": self._views.name(job.instance),
            "instance_status": "normal",
            "job_id": job.job_id,
            "order_id": None,
            "job_name": job.name,
            "status": job.status(t),
            "process": progress(job, t),
            "created_time": self._shown(job.created),
            "ended_time": self._shown(job.ends_at) if t >= job.ends_at else None,
            "fail_reason": self._planner.fail_reason(job, t),
            "show_detail": False,
            "extend_fields": {"proxy_id": job.proxy.proxy_id} if named and job.proxy is not None else None,
        }

    def _shown(self, t: float) -> str:
        return stamp(t + self._skew_s)


def _kept(job: Job, t: float) -> bool:
    return t >= job.shown_from and t - job.created <= KEPT_S
