"""The story of a target under its row: what was sent and answered, its job, its end and by whom, and where it is."""

from collections.abc import Iterator
from datetime import datetime

from orchestrator.model.plan.person import person
from orchestrator.model.reply.reply import Entry
from orchestrator.plain import plain
from orchestrator.tracker.report.schema import TargetReport
from orchestrator.tracker.report.why import attempt_words, early_end_words


def story_lines(target: TargetReport) -> list[str]:
    """Its lines, safe to show."""
    return [plain(line) for line in (*_course(target), *_whereabouts(target))]


def _course(target: TargetReport) -> Iterator[str]:
    if target.earlier is not None:
        because = f": {target.earlier.reason}" if target.earlier.reason else ""
        yield f"before: {target.earlier.outcome} in run {target.earlier.run_id}{because}"
    for attempt in target.attempts:
        yield f"{attempt_words(attempt)}{_request(attempt.request_id)}{''.join(map(_entry, attempt.update_result))}"
    yield from (f"found: {each}" for each in target.evidence or ())
    if target.job is not None:
        ended = f", ended {_at(target.job.ended_at)}" if target.job.ended_at else ""
        why = f": {target.job.fail_reason}" if target.job.fail_reason else ""
        early = early_end_words(target.job.ended_at, target.attempts[0].at if target.attempts else None)
        yield f"job {target.job.status}{ended}{why}{early}"
    if target.needs_person and target.stuck_at:
        yield f"{_at(target.stuck_at)} left to a person, {target.outcome.replace('_', ' ')}"
    if target.settled_at:
        yield f"{_at(target.settled_at)} {target.outcome}{_by(target)}"


def _by(target: TargetReport) -> str:
    if target.settled_by is None:
        return ""
    return f", settled by {person(target.settled_by, target.settled_host or '')}"


def _request(request_id: str | None) -> str:
    return f", request {request_id}" if request_id else ""


def _entry(entry: Entry) -> str:
    return f"; {entry.state} {entry.error_message or ''}".rstrip()


def _at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%SZ}"


def _whereabouts(target: TargetReport) -> Iterator[str]:
    """Where it is, as far as it is known."""
    yield f"scope: {target.scope}"
    yield from (f"label {key}: {value}" for key, value in target.labels.items())
    if target.facts is not None:
        yield from (f"tag {key}: {value}" for key, value in (target.facts.tags or {}).items())
        if target.facts.subnet is not None:
            yield f"subnet: {target.facts.subnet}"
        if target.facts.nodes is not None:
            yield f"nodes: {target.facts.nodes}"
