"""Never twice, never lost: what really began, by the cloud's books, against journal and report."""

from dataclasses import dataclass

from judge.rule import Found, Rule, Violation
from soak.loop import seconds
from soak.trial import Evidence

from orchestrator.model.record import AnswerSeen, AttemptDisproved, Record, ReturnedToWaiting
from orchestrator.model.reply import Entry
from orchestrator.simulator.world import Job
from orchestrator.tracker.report.schema import TargetReport

#: How a job is seen that no list shows.
_UNLISTED = ("never", "not_listed")

#: Outcomes under which something of ours may still be happening.
_OPEN = frozenset({"in_flight", "in_doubt", "timed_out"})


@dataclass(frozen=True)
class Start:
    """An upgrade that really began, and when the call for it was sent."""

    sent_s: float
    job: Job


def starts(evidence: Evidence) -> Found:
    """Every rule about effective starts."""
    began = effective_starts(evidence)
    for target in evidence.report.targets:
        known = [start for start in began.get(target.proxy_id, ()) if not beyond(evidence, start.job)]
        if known:
            yield from _once(evidence, target.proxy_id, known)
            yield from _found(evidence, target, known)
    yield from _disproofs(evidence, began)


def effective_starts(evidence: Evidence) -> dict[str, list[Start]]:
    """By proxy: the cloud's books know what began, the wire knows when it was sent."""
    began: dict[str, list[Start]] = {}
    for post in evidence.wire.posts:
        calls = evidence.cloud.books.calls_of(post.proxy_id)
        job = calls[post.number - 1].job if post.number else None
        if job is not None:
            began.setdefault(post.proxy_id, []).append(Start(post.sent_s, job))
    return began


def _once(evidence: Evidence, proxy_id: str, known: list[Start]) -> Found:
    """A person who says `not_sent` answers for what that lets happen."""
    if len(known) == 1:
        return
    said = [seconds(each.at) for each in evidence.told if _lets_go(each, proxy_id)]
    again = [start.job.job_id for start in known if not said or start.sent_s > said[-1]]
    if len(again) > 1:
        yield Violation(Rule.ONCE, f"{proxy_id} was started {len(again)} times: {again}")


def _lets_go(record: Record, proxy_id: str) -> bool:
    return isinstance(record, ReturnedToWaiting) and record.target == proxy_id


def _found(evidence: Evidence, target: TargetReport, known: list[Start]) -> Found:
    if target.outcome in _OPEN or target.settled_by is not None:
        return
    said = " ".join([target.reason or "", *(target.evidence or ())])
    if "not recovered" in said or "settled as not sent" in said:
        return
    for start in known:
        if start.job.job_id not in target.workflow_ids and not _excused(evidence, target, start.job):
            yield Violation(Rule.FOUND, f"{target.proxy_id} is {target.outcome}, nothing tells of {start.job.job_id}")


def _excused(evidence: Evidence, target: TargetReport, job: Job) -> bool:
    if evidence.fleet.plan.follow.to == "accepted" and crossed(evidence, job):
        return True  # an answer's word was all that was asked for
    return _mistaken(evidence, target, job)


def crossed(evidence: Evidence, job: Job) -> bool:
    """Whether its workflow_id is in an answer to another target, or in none that was written."""
    proxy_id = job.proxy.proxy_id if job.proxy else ""
    return bool(evidence.fleet.dose.crossed) and job.job_id not in _named_ids(evidence, proxy_id)


def _mistaken(evidence: Evidence, target: TargetReport, job: Job) -> bool:
    """Somebody else's upgrade on the instance was taken for ours, whose id nothing showed: the rule allows it."""
    adopted = (evidence.cloud.world.jobs.get(job_id) for job_id in target.workflow_ids)
    foreign = any(each is not None and each.foreign and each.instance is job.instance for each in adopted)
    return foreign and job.fate.seen in _UNLISTED and job.job_id not in _named_ids(evidence, target.proxy_id)


def _named_ids(evidence: Evidence, proxy_id: str) -> set[str | None]:
    """Workflows that answers for a proxy named, as far as they were written."""
    records = evidence.told
    mine = (each for each in records if isinstance(each, AnswerSeen) and each.target == proxy_id)
    return {entry.workflow_id for answer in mine for entry in answer.update_result}


def _disproofs(evidence: Evidence, began: dict[str, list[Start]]) -> Found:
    """A disproof says that no attempt so far began: not then, and not later."""
    said: dict[str | None, float] = {}
    for record in evidence.told:
        if isinstance(record, ReturnedToWaiting):
            said[record.target] = seconds(record.at)
        if isinstance(record, AttemptDisproved):
            at_s, since_s = seconds(record.at), said.get(record.target, -1.0)
            for start in began.get(record.target or "", ()):
                if since_s < start.sent_s <= at_s and not beyond(evidence, start.job):
                    what = f"{record.target} at +{at_s:.1f} s, but {start.job.job_id} began: {record.evidence}"
                    yield Violation(Rule.DISPROVED, what)


def beyond(evidence: Evidence, job: Job) -> bool:
    """Whether no evidence could show this start: it alone is in no list, and no answer that was written tells of it."""
    proxy_id = job.proxy.proxy_id if job.proxy else ""
    tricked = any(fate.proxy_id == proxy_id for fate in evidence.cloud.profile.fates)
    return tricked and _never_shown(evidence, job)


def _never_shown(evidence: Evidence, job: Job) -> bool:
    if job.fate.seen not in _UNLISTED:
        return False
    proxy_id = job.proxy.proxy_id if job.proxy else ""
    mine = (each for each in evidence.told if isinstance(each, AnswerSeen) and each.target == proxy_id)
    return not any(_tells_of(entry, job) for answer in mine for entry in answer.update_result)


def _tells_of(entry: Entry, job: Job) -> bool:
    return entry.workflow_id == job.job_id or (entry.state == "ACCEPT" and not entry.workflow_id)
