"""Tell a trial to whoever has to find out what went wrong: its processes, and the whole story of one proxy."""

from collections.abc import Iterator
from operator import attrgetter

import msgspec
from soak.evidence import Evidence
from soak.loop import ZERO, seconds

from orchestrator.model.record.record import HoldReleased, HoldSet, Record
from orchestrator.simulator.world.world import Job

_HIDDEN = frozenset({"at", "target", "step", "record"})


def tell(evidence: Evidence, proxy_ids: set[str]) -> Iterator[str]:
    """Lines of text."""
    plan = evidence.fleet.plan
    yield f"plan: {len(plan.proxies)} targets, {_facts(plan.limits)}; {_facts(plan.follow)}; {_facts(plan.retry)}"
    yield f"      {_facts(plan.failures)}; {_facts(plan.http)}; waves {[_facts(wave) for wave in plan.waves]}"
    yield f"faults: {_facts(evidence.cloud.profile)}"
    for process in sorted(evidence.lives, key=attrgetter("began_s")):
        end = (
            f"died at {process.death}"
            if process.how == "died"
            else f"{process.how}, exit {process.code}: {process.why}"
        )
        where = f" on {process.host}" * bool(process.host) + f", serves {process.serves}" * (not process.decides)
        span = f"+{process.began_s:.2f} s to +{process.ended_s:.2f} s"
        yield f"process {process.number}{where}: {span}, {end}; {process.ordeal}"
    for proxy_id in sorted(proxy_ids):
        yield from _story(evidence, proxy_id)


def _story(evidence: Evidence, proxy_id: str) -> Iterator[str]:
    yield f"--- {proxy_id}"
    lines = [(seconds(record.at), _record(record)) for record in evidence.told if _concerns(record, proxy_id)]
    zero_s = ZERO.timestamp()
    for call in evidence.cloud.books.calls_of(proxy_id):
        began = f"began {call.job.job_id}" if call.job else "began nothing"
        lines.append((call.at - zero_s, f"    CLOUD: call {call.number}, fault {call.fault}, {call.status}, {began}"))
    proxy = evidence.cloud.world.proxy(proxy_id)
    jobs, flips = (proxy.instance.jobs, proxy.flips) if proxy else ([], [])
    lines += [(job.created - zero_s, f"    CLOUD: {_job(job, proxy_id, zero_s)}") for job in jobs]
    lines += [(flip - zero_s, f"    CLOUD: runs {version}") for flip, version in flips]
    yield from (f"+{at_s:10.3f} {text}" for at_s, text in sorted(lines))


def _concerns(record: Record, proxy_id: str) -> bool:
    return record.target == proxy_id or isinstance(record, HoldSet | HoldReleased)


def _record(record: Record) -> str:
    return f"{type(record).__name__} {_facts(record)}"


def _job(job: Job, proxy_id: str, zero_s: float) -> str:
    whose = (
        "" if job.proxy and job.proxy.proxy_id == proxy_id else f" of {job.proxy.proxy_id if job.proxy else 'others'}"
    )
    span = f"until +{job.ends_at - zero_s:.1f}, shown from +{job.shown_from - zero_s:.1f}"
    return f"job {job.job_id}{whose} {'foreign ' if job.foreign else ''}{_facts(job.fate)} {span}"


def _facts(struct: msgspec.Struct) -> str:
    """Fields that are not as they always are."""
    values = {name: getattr(struct, name) for name in struct.__struct_fields__ if name not in _HIDDEN}
    return ", ".join(f"{name}={value}" for name, value in values.items() if value not in (None, (), "", 0, False, {}))
