"""Never twice, never lost: what really began, by the cloud's books, against journal and report."""

from collections.abc import Iterator
from datetime import datetime

from soak.loop import ZERO
from soak.trial import Evidence
from soak.violation import Found, Rule, Violation

from orchestrator.model.record import AttemptDisproved, ReturnedToWaiting
from orchestrator.simulator.world import Job
from orchestrator.tracker.report_form import TargetReport

#: Outcomes under which something of ours may still be happening.
_OPEN = frozenset({"in_flight", "in_doubt", "timed_out"})


def starts(evidence: Evidence) -> Found:
    """Every rule about effective starts."""
    for target in evidence.report.targets:
        began = evidence.cloud.books.starts_of(target.proxy_id)
        if began:
            yield from _once(evidence, target.proxy_id, began)
            yield from _found(target, began)
    yield from _disproofs(evidence)


def _once(evidence: Evidence, proxy_id: str, began: list[Job]) -> Found:
    """A person who says `not_sent` answers for what that lets happen."""
    since = _said_not_sent(evidence, proxy_id)
    again = [job for job in began if since is None or job.created > since.timestamp()]
    if len(again) > 1:
        yield Violation(Rule.ONCE, f"{proxy_id} was started {len(again)} times: {[job.job_id for job in again]}")


def _said_not_sent(evidence: Evidence, proxy_id: str) -> datetime | None:
    said = [
        record.at
        for record in evidence.disk.records
        if isinstance(record, ReturnedToWaiting) and record.target == proxy_id
    ]
    return said[-1] if said else None


def _found(target: TargetReport, began: list[Job]) -> Found:
    if target.outcome in _OPEN or target.settled_by is not None:
        return
    said = " ".join([target.reason or "", *(target.evidence or ())])
    for job in began:
        if job.job_id in target.workflow_ids or "not recovered" in said or "settled as not sent" in said:
            continue
        yield Violation(Rule.FOUND, f"{target.proxy_id} is {target.outcome}, and nothing tells of {job.job_id}")


def _disproofs(evidence: Evidence) -> Found:
    """A disproof says that no attempt so far began: not then, and not later."""
    for record, since in _disproved(evidence):
        for call in evidence.cloud.books.calls_of(record.target or ""):
            sent_before = call.at <= record.at.timestamp()
            if call.job is not None and sent_before and (since is None or call.at > since.timestamp()):
                yield Violation(
                    Rule.DISPROVED,
                    f"{record.target} at {_clock(record.at)}, but {call.job.job_id} began: {record.evidence}",
                )


def _disproved(evidence: Evidence) -> Iterator[tuple[AttemptDisproved, datetime | None]]:
    """Every disproof, with the last time before it that a person said `not_sent`."""
    said: dict[str | None, datetime] = {}
    for record in evidence.disk.records:
        if isinstance(record, ReturnedToWaiting):
            said[record.target] = record.at
        if isinstance(record, AttemptDisproved):
            yield record, said.get(record.target)


def _clock(at: datetime) -> str:
    return f"+{(at - ZERO).total_seconds():.1f} s"
