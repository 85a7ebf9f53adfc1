"""A sentence for each record of a target. Whose it is, and when, stands beside it."""

from collections.abc import Iterator
from datetime import datetime
from typing import assert_never

from orchestrator.model.plan.person import person
from orchestrator.model.record import record as r
from orchestrator.model.reply.reply import Entry

_VERDICTS: dict[r.Verdict, str] = {
    "accepted": "the cloud accepted it",
    "partial": "the cloud accepted a part of it, and refused another",
    "rejected": "the cloud refused it",
    "refused": "the cloud refused the call",
    "busy": "the cloud is busy with its instance",
    "throttled": "the cloud refused the call as one too many",
    "unauthenticated": "the cloud refused the credentials",
    "not_sent": "it never left this host",
    "in_doubt": "no answer came that can be trusted",
}


def target_sentence(record: r.TargetRecord) -> str:  # noqa: PLR0911  # one for each kind
    """What happened to the target."""
    match record:
        case r.PreflightDone() | r.Intent() | r.AnswerSeen() | r.AnswerMissing():
            return _attempt(record)
        case r.DoubtLooked() | r.WorkflowAdopted() | r.VersionAdopted() | r.AttemptDisproved():
            return _evidence(record)
        case r.DoubtRenewed(why=why, workflow_id=workflow):
            of = f"; workflow {workflow} is not its own" if workflow else ""
            return f"in doubt again: {why}{of}"
        case r.DoubtRemains(why=why):
            return f"stays in doubt: {why}"
        case r.JobSeen() | r.VersionReached() | r.FollowTimedOut() | r.Reverified() | r.NotReverified():
            return _followed(record)
        case r.TurnGiven() | r.TurnReturned() | r.Rested() | r.Postponed():
            return _waiting(record)
        case r.Settled():
            return _settled(record)
        case r.ReturnedToWaiting(note=note):
            return f"settled as not sent by {record.who} ({note}); it waits for another attempt"
        case r.StoryFailed():
            return f"{record.words}; the next session goes on with it"
        case _:
            assert_never(record)


def _waiting(record: r.TurnGiven | r.TurnReturned | r.Rested | r.Postponed) -> str:
    match record:
        case r.TurnGiven(wave=wave):
            return f"it is its turn, in wave {wave}"
        case r.TurnReturned(until=until):
            return f"its turn went by without an attempt; it waits again, until {_at(until)} at least"
        case r.Rested():
            return "nothing but new evidence will move it in this session"
        case r.Postponed(why=why, until=until):
            return f"put off until {_at(until)}: {why}"


def _attempt(record: r.PreflightDone | r.Intent | r.AnswerSeen | r.AnswerMissing) -> str:
    match record:
        case r.PreflightDone(current_version=current, latest_version=latest):
            if latest == current:
                return f"asked the cloud: runs {current}, the newest on offer"
            offered = f", {latest} is on offer" if latest else ""
            barred = ", and the cloud says that it cannot be upgraded" if record.can_upgrade is False else ""
            return f"asked the cloud: runs {current}{offered}{barred}"
        case r.Intent(source_version=source, target_version=target):
            return f"attempt {record.attempt} is on disk, and is sent: {source} -> {target}"
        case r.AnswerMissing():
            return f"no answer to attempt {record.attempt} was recorded: it is in doubt"
        case r.AnswerSeen():
            details = ", ".join(_details(record))
            return f"{answer_words(record)}{f' ({details})' if details else ''}"


def answer_words(answer: r.AnswerSeen) -> str:
    """What the cloud said, without how it said it."""
    return _VERDICTS[answer.verdict] + (f": {answer.reason}" if answer.reason else "")


def _details(answer: r.AnswerSeen) -> Iterator[str]:
    if answer.http_status:
        yield f"HTTP {answer.http_status} after {answer.duration_ms} ms"
    said = [each for each in (answer.error_code, answer.error_msg) if each and each not in (answer.reason or "")]
    if said:
        yield " ".join(said)
    if answer.update_result:
        yield "; ".join(map(_entry, answer.update_result))
    if answer.strays:
        yield f"ids of another question: {' '.join(answer.strays)}"
    if answer.request_id:
        yield f"request id {answer.request_id}"


def _entry(entry: Entry) -> str:
    named = f"workflow {entry.workflow_id}" if entry.workflow_id else None
    return " ".join(filter(None, (named, entry.state, entry.error_message)))


def _evidence(record: r.DoubtLooked | r.WorkflowAdopted | r.VersionAdopted | r.AttemptDisproved) -> str:
    match record:
        case r.DoubtLooked(finding=finding, version=version):
            return f"looked for evidence: {finding}{f'; runs {version}' if version else ''}"
        case r.WorkflowAdopted(workflow_id=workflow, evidence=evidence):
            return f"found that it began, as workflow {workflow}: {evidence}"
        case r.VersionAdopted(version=version, evidence=evidence):
            return f"found that it began, and runs {version}: {evidence}"
        case r.AttemptDisproved(evidence=evidence):
            return f"found that attempt {record.attempt} never began: {evidence}"


def _followed(record: r.JobSeen | r.VersionReached | r.FollowTimedOut | r.Reverified | r.NotReverified) -> str:
    match record:
        case r.JobSeen(workflow_id=workflow, status=status, fail_reason=reason):
            ended = f" at {_at(record.ended_at)}" if record.ended_at else ""
            return f"workflow {workflow}: {status}{ended}{f': {reason}' if reason else ''}"
        case r.VersionReached(version=version):
            return f"its workflows cannot be seen, but it runs {version}: the upgrade ended"
        case r.FollowTimedOut(why=why):
            return f"no end was seen in time: {why}"
        case r.Reverified(finding=finding, healthy=healthy):
            return f"looked again after the soak: {'' if healthy else 'NOT WELL, '}{finding}"
        case r.NotReverified(finding=finding):
            return finding


def _settled(record: r.Settled) -> str:
    reason = f": {record.reason}" if record.reason else ""
    seen = f", runs {record.verified_version}" if record.verified_version else ""
    found = f", {record.evidence}" if record.evidence else ""
    note = f" ({record.note})" if record.note else ""
    by = f", settled by {person(record.settled_by, record.host)}{note}" if record.settled_by else ""
    return f"{record.outcome}{reason}{seen}{found}{by}"


def _at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S}Z"
