"""Why a target stands as it does, in one line: what happened, the reason, and what was found last; nothing twice."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from orchestrator.model.record.outcome import FAILED_BEFORE, GOOD, Phase

if TYPE_CHECKING:  # a preview needs words of this module, and no report
    from orchestrator.tracker.report.parts.upgrade import AttemptReport
    from orchestrator.tracker.report.schema import TargetReport

_GOOD = frozenset(outcome.value for outcome in GOOD)
#: Answers whose reason is their entries or their error message, word for word.
_SAID_BY_ENTRIES = frozenset({"accepted", "partial", "rejected", "refused"})

#: The cloud tells its times in full seconds.
_ROUNDED = timedelta(seconds=2)


def why_words(target: "TargetReport") -> str:
    """The line; empty where there is nothing to say."""
    said: list[str] = []
    for part in _parts(target):
        if not any(part in earlier for earlier in said):
            said.append(part)
    return "; ".join(said)


def attempt_words(attempt: "AttemptReport") -> str:
    """What was sent when, and what came of it, without the entries of its answer."""
    answer = "no answer came" if attempt.http_status is None else f"HTTP {attempt.http_status}"
    code = f", {attempt.error_code} {attempt.error_msg or ''}".rstrip() if attempt.error_code else ""
    why = f" ({attempt.reason})" if attempt.reason and attempt.verdict not in _SAID_BY_ENTRIES else ""
    return f"attempt {attempt.number} at {attempt.at:%Y-%m-%d %H:%M:%SZ}: {answer}{code}{why}"


def early_end_words(ended_at: datetime | None, sent_at: datetime | None) -> str:
    """A remark to the end of a job, in the cloud's time, that is before the first attempt; empty where it is not."""
    if ended_at is None or sent_at is None or ended_at >= sent_at - _ROUNDED:
        return ""
    return "; by the cloud's clock it ended before the attempt, which has its time from the host's clock"


def resent_lines(target: "TargetReport") -> Iterator[str]:
    """More than one upgrade call: each with its answer, in order, then what shows that none was a second upgrade."""
    yield " ".join(filter(None, (target.called, target.proxy_id)))
    for attempt in target.attempts:
        verdict = f", {attempt.verdict}" if attempt.verdict else ""
        yield f"  {attempt_words(attempt)}{verdict}"
    yield from (f"  {found}" for found in target.evidence or ())


def settle_outcomes(*, sent: bool | None) -> str:
    """What a person may settle a target as; `sent`: whether it has a workflow_id, None where that is not known."""
    if sent:
        return "succeeded or failed"
    unless = "no workflow_id came and the console shows no job" if sent is None else "the console shows no job"
    return f"succeeded, failed, or not_sent where {unless}"


def _parts(target: "TargetReport") -> Iterator[str]:
    if target.outcome == Phase.IN_DOUBT and target.attempts:
        yield attempt_words(target.attempts[-1])
    if target.outcome == Phase.IN_FLIGHT:
        yield f"its job is {target.job.status}" if target.job else "no end has been seen yet"
    earlier = target.earlier
    if earlier is not None and target.reason == FAILED_BEFORE:
        because = f": {earlier.reason}" if earlier.reason else ""
        yield f"{target.reason}: {earlier.outcome} in run {earlier.run_id}{because}"
    elif target.reason:
        yield target.reason
    if target.settled_by:
        yield f"settled by {target.settled_by}"
    if target.evidence and target.outcome not in _GOOD:
        yield target.evidence[-1]
