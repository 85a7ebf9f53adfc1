"""What a trial has met: every fault, fate, death and finding by name; and the names that must not be missing.

The names come from the code that makes them happen, so that a new fault or crash point cannot be forgotten here.
"""

from collections import Counter

from soak.evidence import Evidence
from soak.faults import ENDS, FLIPS, HEALTHS, PAGINGS, ROLES, SEEN, UPGRADE_FAULTS
from soak.life import PLACES, TROUBLES
from soak.poison import CROSSED, POISONS

from orchestrator.executor.crash_points import Point
from orchestrator.model.record.record import HoldSet, ReturnedToWaiting, Settled
from orchestrator.simulator.chance import pick, unit
from orchestrator.simulator.profile import Profile

#: Beside what has a list of its own.
_OTHER = (
    "process: disk_full",
    "process: stopped",
    "cloud: throttle",
    "cloud: refused connection",
    "cloud: clock skew",
    "host: wrong clock",
    "host: step",
    "host: drift",
    "cloud: jobs hidden",
    "cloud: foreign job",
    "cloud: foreign upgrade",
    "person: hold",
    "person: settled",
    "person: not_sent",
)


def expected() -> list[str]:
    """Everything that must be hit."""
    named: dict[str, tuple[str, ...]] = {
        "fault": UPGRADE_FAULTS,
        "end": ENDS,
        "flip": FLIPS,
        "health": HEALTHS,
        "seen": SEEN,
    }
    named |= {
        "poison": (*POISONS, *CROSSED),
        "role": ROLES,
        "paging": PAGINGS,
        "death": (*(point.value for point in Point), *PLACES),
        "exception": (*(point.value for point in Point), *TROUBLES),
    }
    return [f"{kind}: {name}" for kind, names in named.items() for name in names] + list(_OTHER)


def hits(evidence: Evidence) -> Counter[str]:
    """What this trial has met, and how often."""
    met: Counter[str] = Counter()
    met.update({f"fault: {name}": number for name, number in evidence.cloud.books.faults.items()})
    _count_jobs(evidence, met)
    _count_world(evidence, met)
    _count_processes(evidence, met)
    for record in evidence.disk.records:
        met[f"record: {type(record).__name__}"] += 1
        met["person: hold"] += isinstance(record, HoldSet) and record.cause == "person"
        met["person: settled"] += isinstance(record, Settled) and record.settled_by is not None
        met["person: not_sent"] += isinstance(record, ReturnedToWaiting)
    met.update({f"poison: {name}": number for name, number in evidence.wire.poisoner.met.items()})
    met.update({f"outcome: {name}": number for name, number in evidence.report.totals.outcomes.items()})
    return met


def _count_jobs(evidence: Evidence, met: Counter[str]) -> None:
    for job in evidence.cloud.world.jobs.values():
        if job.foreign:
            met["cloud: foreign upgrade" if job.proxy else "cloud: foreign job"] += 1
            continue
        for dimension in ("end", "flip", "seen", "health"):
            met[f"{dimension}: {getattr(job.fate, dimension)}"] += 1


def _count_world(evidence: Evidence, met: Counter[str]) -> None:
    cloud = evidence.cloud
    for target in evidence.fleet.plan.proxies:
        proxy = cloud.world.proxy(target.proxy_id)
        role = "gone" if proxy is None else proxy.role
        met[f"role: {role}"] += role is not None
    for project_id in cloud.world.projects:
        met[f"paging: {_paging(cloud.profile, cloud.config.seed, project_id)}"] += 1
        hidden = unit(cloud.config.seed, "jobs_hidden", project_id) < cloud.profile.lists.jobs_hidden
        met["cloud: jobs hidden"] += hidden
    met["cloud: clock skew"] += cloud.profile.clock_skew_s != 0
    met["cloud: throttle"] += sum(cloud.books.throttled.values())
    met["cloud: refused connection"] += evidence.wire.refused


def _paging(profile: Profile, seed: int, project_id: str) -> str:
    return pick(profile.lists.job_paging, unit(seed, "job_paging", project_id)) or "page"


def _count_processes(evidence: Evidence, met: Counter[str]) -> None:
    host = evidence.fleet.host
    met["host: wrong clock"] += host.wrong_s != 0
    met["host: drift"] += host.drift != 0
    for process in evidence.lives:
        met[f"server: {process.how}"] += not process.decides
        met["processes"] += 1
        met["host: step"] += host.steps_within(process.began_s, process.ended_s)
        if process.death is not None:
            met[f"death: {process.death.place}"] += 1
        if process.raised:
            met[f"exception: {process.ordeal.raises.place if process.ordeal.raises else None}"] += 1
        met["process: disk_full"] += process.how == "disk_full"
        met["process: replaced"] += process.how == "replaced"
        met["process: stopped"] += process.why.startswith("stopped")
        met[f"exit: {process.code}"] += process.code is not None
