"""Never claimed: what the report and the records say happened, against what happened in the cloud."""

from collections.abc import Iterator
from datetime import datetime

from judge.rule import Found, Rule, Violation
from soak.evidence import Evidence
from soak.oracle_starts import believed, beyond

from orchestrator.model.record.record import (
    JobSeen,
    Record,
    Reverified,
    Settled,
    VersionAdopted,
    VersionReached,
    WorkflowAdopted,
)
from orchestrator.model.reply.version import at_least
from orchestrator.simulator.world.jobs import UPGRADE_JOB
from orchestrator.simulator.world.world import Job, Proxy
from orchestrator.tracker.report.schema import TargetReport

#: Where a target may stand only if nothing of ours began.
_NOTHING_BEGAN = frozenset({"already", "rejected", "deferred", "skipped", "not_started", "waiting"})

#: A reading may be this much older than the record of what follows from it: time-outs and tries between two reads.
_READ_WITHIN_S = 240.0


def claims(evidence: Evidence) -> Found:
    """Every outcome of the report, and every reading that the journal records."""
    for target in evidence.report.targets:
        proxy = evidence.cloud.world.proxy(target.proxy_id)
        # `rejected`: its reads were refused in words that were damaged on the way, so they did not say why.
        if proxy is None and target.outcome not in {"skipped", "waiting", "rejected"}:
            yield Violation(Rule.TRUE, f"{target.proxy_id} is {target.outcome}: there is no such proxy")
        if proxy is not None and target.settled_by is None:
            yield from _Claim(evidence, target, proxy).check()
    for record in evidence.told:
        yield from _reading(evidence, record)


class _Claim:
    """What is claimed of one target."""

    def __init__(self, evidence: Evidence, target: TargetReport, proxy: Proxy) -> None:
        self.evidence = evidence
        self.target = target
        self.proxy = proxy
        self.began = evidence.cloud.books.starts_of(target.proxy_id)
        jobs = (evidence.cloud.world.jobs.get(job_id) for job_id in target.workflow_ids)
        self.jobs = [job for job in jobs if job is not None]
        self.mine = [each for each in evidence.told if each.target == target.proxy_id]
        settled = [each.at.timestamp() for each in self.mine if isinstance(each, Settled)]
        self.settled_s = settled[-1] if settled else 0.0

    def check(self) -> Found:
        yield from self._workflows()
        problem = self._problem()
        if problem is not None:
            yield Violation(Rule.TRUE, f"{self.target.proxy_id} is {self.target.outcome}: {problem}")

    def _workflows(self) -> Found:
        """Ids in the report are those of jobs that upgraded this proxy, or that nobody could tell from such."""
        for job_id in self.target.workflow_ids:
            job = self.evidence.cloud.world.jobs.get(job_id)
            excused = job is not None and (self._looked_alike(job) or believed(self.evidence, self.target, job))
            if job is None or (job.proxy is not self.proxy and not excused):
                yield Violation(Rule.TRUE, f"{self.target.proxy_id} claims {job_id}, which is no upgrade of it")

    def _looked_alike(self, job: Job) -> bool:
        """Somebody else's upgrade on the same instance, while an attempt was in doubt: not told apart by anything."""
        return job.foreign and job.name == UPGRADE_JOB and job.instance is self.proxy.instance

    def _problem(self) -> str | None:
        outcome = self.target.outcome
        if outcome in _NOTHING_BEGAN:
            return self._nothing_began()
        checks = {"succeeded": self._succeeded, "failed": self._failed, "mismatch": self._mismatch}
        if outcome in checks:
            return checks[outcome]() or (None if outcome == "failed" else self._under_way())
        if outcome in ("accepted", "partial"):
            return None if self._began() else "nothing began"
        return None if self.target.attempts else "nothing was sent"

    def _nothing_began(self) -> str | None:
        began = [job for job in self.began if not beyond(self.evidence, job)]
        if began and not self._person_let_go():
            return f"{began[0].job_id} began"
        if self.target.outcome == "already" and not self._at_target(self.settled_s):
            return f"it ran {self.proxy.version_at(self.settled_s)}"
        return None

    def _succeeded(self) -> str | None:
        if not self._began():
            return "nothing began"
        if self.evidence.fleet.plan.follow.to == "completed":
            completed = any(job.status(self.settled_s) == "Completed" for job in self.jobs)
            return None if completed or self._at_target(self.settled_s) else "no job of it was completed"
        if not self._at_target(self.settled_s):
            return f"it ran {self.proxy.version_at(self.settled_s)}"
        return None if self._was(healthy=True) else "it was not healthy"

    def _under_way(self) -> str | None:
        """Who follows a job settles nothing before its end; unless it cannot be seen, and its version says enough."""
        if self.evidence.fleet.plan.follow.to == "accepted" or self._version_instead():
            return None
        running = next((job for job in self.jobs if job.ends_at > self.settled_s), None)
        return None if running is None else f"{running.job_id} had not ended"

    def _version_instead(self) -> bool:
        return any(isinstance(each, VersionAdopted | VersionReached) for each in self.mine)

    def _failed(self) -> str | None:
        badly = [job for job in self.jobs if job.status(self.settled_s) in ("Failed", "Canceled")]
        if badly or self._was(healthy=False) or self._reverified():
            return None
        return "no job of it ended badly, and it was healthy"

    def _mismatch(self) -> str | None:
        if not self._began():
            return "nothing began"
        at_target_before = self._at_target(self.settled_s - _READ_WITHIN_S)
        return "it ran the target version all the while" if at_target_before else None

    def _reverified(self) -> bool:
        """Read once more after a soak: the record is checked by itself."""
        return any(isinstance(each, Reverified) for each in self.mine)

    def _began(self) -> bool:
        """An upgrade of the proxy: ours, or one that could not be told from ours."""
        return bool(self.began or self.jobs) or self._version_only()

    def _version_only(self) -> bool:
        """Somebody upgraded it, and the report says that it does not know by which workflow."""
        said = " ".join([self.target.reason or "", *(self.target.evidence or ())])
        return bool(self.proxy.flips) and "not recovered" in said

    def _at_target(self, at_s: float) -> bool:
        return at_least(self.proxy.version_at(at_s), self.target.target_version)

    def _was(self, *, healthy: bool) -> bool:
        return _was(self.proxy, self.settled_s, healthy=healthy)

    def _person_let_go(self) -> bool:
        return any("settled as not sent" in each for each in self.target.evidence or ())


def _was(proxy: Proxy, until_s: float, *, healthy: bool) -> bool:
    """Whether the proxy was healthy, or was not, at some instant of the time in which it was read."""
    edges = [edge for interval in proxy.unwell for edge in interval]
    instants = [
        until_s - _READ_WITHIN_S,
        until_s,
        *(each for each in edges if until_s - _READ_WITHIN_S <= each <= until_s),
    ]
    if not healthy and any(
        job.proxy is proxy and job.ends_at > until_s - _READ_WITHIN_S for job in proxy.instance.jobs
    ):
        return True  # while it is being upgraded, its status may be another than ACTIVE
    return any(proxy.healthy(at) is healthy for at in instants)


def _reading(evidence: Evidence, record: Record) -> Found:
    for problem in _problems(evidence, record):
        yield Violation(Rule.SEEN, f"{record.target}: {type(record).__name__}: {problem}")


def _problems(evidence: Evidence, record: Record) -> Iterator[str]:
    match record:
        case JobSeen():
            yield from _job_seen(evidence, record)
        case WorkflowAdopted() if record.workflow_id not in evidence.cloud.world.jobs:
            yield f"there is no job {record.workflow_id}"
        case VersionAdopted() | VersionReached():
            if not _ran(evidence, record.target, record.version, record.at):
                yield f"it did not run {record.version}"
        case Settled() | Reverified():
            version = record.version if isinstance(record, Reverified) else record.verified_version
            if version is not None and not _ran(evidence, record.target, version, record.at):
                yield f"it did not run {version}"
            if isinstance(record, Reverified) and not record.healthy:
                yield from _reverified(evidence, record)
        case _:
            pass


def _job_seen(evidence: Evidence, record: JobSeen) -> Iterator[str]:
    job = evidence.cloud.world.jobs.get(record.workflow_id)
    at_s = record.at.timestamp()
    if job is None:
        yield f"there is no job {record.workflow_id}"
    elif record.status not in {job.status(at_s - back_s) for back_s in (0.0, 1.0, 5.0, 15.0, 30.0, 60.0)}:
        yield f"{record.workflow_id} was not {record.status}"
    elif record.ended and job.ends_at > at_s:
        yield f"{record.workflow_id} had not ended"


def _reverified(evidence: Evidence, record: Reverified) -> Iterator[str]:
    proxy = _proxy(evidence, record.target or "")
    arrived = at_least(proxy.version_at(record.at.timestamp() - _READ_WITHIN_S), evidence.fleet.plan.target_version)
    if arrived and not _was(proxy, record.at.timestamp(), healthy=False):
        yield "it was as it should be"


def _ran(evidence: Evidence, proxy_id: str | None, version: str, at: datetime) -> bool:
    """Whether the proxy ran a version at some instant before a record says so."""
    proxy, until_s = _proxy(evidence, proxy_id or ""), at.timestamp()
    flips = [flip for flip, _ in proxy.flips if until_s - _READ_WITHIN_S <= flip <= until_s]
    return version in {proxy.version_at(each) for each in (until_s - _READ_WITHIN_S, *flips, until_s)}


def _proxy(evidence: Evidence, proxy_id: str) -> Proxy:
    proxy = evidence.cloud.world.proxy(proxy_id)
    if proxy is None:
        raise LookupError(proxy_id)
    return proxy
