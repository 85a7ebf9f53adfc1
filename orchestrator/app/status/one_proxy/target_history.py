"""Everything that is known of one proxy, in order, and the rule that decided its fate."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from orchestrator.app.status.one_proxy.last_word import LastWord, last_word
from orchestrator.app.status.one_proxy.raw_lines import raw_lines
from orchestrator.app.status.one_proxy.story_lines import story_lines
from orchestrator.app.status.one_proxy.unknown_target import unknown_target
from orchestrator.executor.decide.waits import time_until
from orchestrator.model.plan.person import person
from orchestrator.model.plan.target import Target
from orchestrator.model.record.outcome import Outcome, Phase
from orchestrator.model.record.record import Record
from orchestrator.model.run.state import TargetState
from orchestrator.tracker.report.target import reason_of
from orchestrator.tracker.runs.recovery import Glimpse, glimpse

_RULES = {
    Outcome.SUCCEEDED: "accepted, and completed and verified as far as follow.to asks",
    Outcome.ACCEPTED: "accepted, and follow.to asks for no more",
    Outcome.PARTIAL: "ACCEPT and REJECT in one answer, and follow.to does not ask for verification",
    Outcome.ALREADY: "it runs the target version or a newer one, and this run sent nothing for it",
    Outcome.REJECTED: "the cloud said no, and nothing was started",
    Outcome.FAILED: "an upgrade began and ended badly",
    Outcome.MISMATCH: "the job completed, and the version was not the target version within verify_for",
    Outcome.DEFERRED: "the cloud was busy with its instance for retry.busy_for, or until the window closed",
    Outcome.SKIPPED: "a rule leaves it out",
    Outcome.NOT_STARTED: "the run was ended before its turn came",
}
#: Where no job of it was ever seen, nobody knows who upgraded it.
_BY_VERSION = "it runs the target version after an attempt in doubt, of which no workflow_id was learned"
_PHASE_RULES = {
    Phase.WAITING: "it has no outcome, and nothing of it is under way",
    Phase.IN_FLIGHT: "an upgrade of ours is under way, and its end is waited for",
    Phase.DOUBT: "an attempt left and no answer that can be trusted came back: it is being reconciled",
    Phase.IN_DOUBT: "the doubt period passed without evidence: never sent again until evidence comes, or `settle`",
    Phase.TIMED_OUT: "no end was seen within follow.timeout: it keeps its slot until its end is seen, or `settle`",
}


def life(seen: Glimpse, proxy_id: str, now: datetime, *, raw: bool = False) -> Iterator[str]:
    """Where one proxy stands now, then its story over all runs up to this one, the oldest first.

    A run that only found it done, or left it out, takes one line.

    Args:
        seen: the latest run.
        proxy_id: of the proxy.
        now: by this host's clock.
        raw: its records as the journal has them, in place of sentences.

    Raises:
        UsageError: it is no target of the run.
        StateError: a run cannot be read.
    """
    stored = seen.stored
    earlier = (glimpse(run, proxy_id) for run in stored.fleet.runs() if run.run_id < stored.run_id)
    chapters = [_chapter(each, proxy_id) for each in (*earlier, seen) if proxy_id in each.run.targets]
    keeps = any(kept.target == proxy_id for kept in seen.run.kept)
    if not chapters or (chapters[-1].run_id != stored.run_id and not keeps):
        raise unknown_target(f"run {stored.run_id}", proxy_id, (target.proxy_id for target in stored.targets()))
    yield from _head(chapters[-1])
    kept = None if proxy_id in seen.run.targets else last_word(seen.run, proxy_id)
    if kept is not None:
        yield _outcome(kept.outcome, kept.reason, None)
        yield f"run {stored.run_id} left it out, and it keeps its outcome"
    else:
        yield _verdict(chapters[-1].state, now)
    yield from _upgraded(chapters, kept)
    for chapter in chapters:
        yield from _lines(chapter, in_full=chapter is chapters[-1] or chapter.acted, raw=raw)


class _Chapter(msgspec.Struct, frozen=True):
    """What one run says of the proxy.

    Attributes:
        who: user and host of each who started a session; empty when there was none.
    """

    run_id: str
    target: Target
    state: TargetState | None
    records: tuple[Record, ...]
    who: str

    @property
    def acted(self) -> bool:
        """Whether an upgrade was sent for it in this run."""
        return self.state is not None and bool(self.state.attempts)


def _chapter(seen: Glimpse, proxy_id: str) -> _Chapter:
    """What a run says of the proxy, which is one of its targets."""
    run, records = seen.run, tuple(record for record in seen.records if record.target == proxy_id)
    who = ", ".join(dict.fromkeys(session.who for session in run.sessions))
    return _Chapter(seen.stored.run_id, run.targets[proxy_id], run.states.get(proxy_id), records, who)


def _head(last: _Chapter) -> Iterator[str]:
    target = last.target
    name = f"{target.name}  " if target.name else ""
    yield f"{name}{target.proxy_id} on instance {target.instance_id}, scope {target.scope}, run {last.run_id}"
    if target.labels:
        yield "  labels: " + ", ".join(f"{name}={value}" for name, value in target.labels.items())


def _lines(chapter: _Chapter, *, in_full: bool, raw: bool) -> Iterator[str]:
    started = f", by {chapter.who}" if chapter.who else ""
    if in_full:
        yield f"run {chapter.run_id}{started}:"
        yield from (raw_lines if raw else story_lines)(chapter.records)
    else:
        standing = chapter.state.standing if chapter.state else Phase.WAITING.value
        reason = f": {why}" if chapter.state and (why := reason_of(chapter.state)) else ""
        yield f"run {chapter.run_id}{started}: {standing}{reason}, nothing was sent"


def _upgraded(chapters: Sequence[_Chapter], kept: LastWord | None) -> Iterator[str]:
    """What an earlier run did, when the last one did nothing: whom it owes its version to, or why it was left out."""
    earlier = next((each for each in reversed(chapters[:-1]) if each.acted), None)
    if earlier is None or earlier.state is None or chapters[-1].acted:
        return
    state = earlier.state
    if kept is not None and state.outcome is kept.outcome:
        return  # it stands there already
    reason = f": {why}" if (why := reason_of(state)) else ""
    when = f" on {state.settled_at:%Y-%m-%d %H:%M:%S}Z" if state.settled_at else ""
    jobs = f"workflow {', '.join(state.jobs)}" if state.jobs else "no workflow_id"
    yield f"before: {state.standing}{reason}{when} in run {earlier.run_id}, {jobs}"


def _verdict(state: TargetState | None, now: datetime) -> str:
    if state is None:
        return f"now: waiting ({_PHASE_RULES[Phase.WAITING]})"
    if state.outcome is not None:
        who = person(state.settled_by, state.settled_host) if state.settled_by else None
        found = f", {state.evidence[-1]}" if state.outcome is Outcome.SKIPPED and state.evidence else ""
        rule = _BY_VERSION if state.outcome is Outcome.SUCCEEDED and not state.jobs else None
        why = f"{reason}{found}" if (reason := reason_of(state)) else None
        return _outcome(state.outcome, why, who, rule) + _since(state, now)
    reason = f": {why}" if (why := reason_of(state)) else ""
    return f"now: {state.standing}{reason} ({_PHASE_RULES[state.phase]})"


def _since(state: TargetState, now: datetime) -> str:
    """When it came to its outcome, by which workflow, and whether the version was read that it is said to have."""
    if state.settled_at is None:
        return ""
    read = f", runs {state.verified_version}" if state.seen_upgraded else ", its version was not read"
    when = f", {state.settled_at:%Y-%m-%d %H:%M:%S}Z ({time_until(now, state.settled_at)} ago)"
    jobs = f", workflow {', '.join(state.jobs)}" if state.jobs else ""
    return f"{when}{jobs}{read if state.seen_upgraded or state.taken_for else ''}"


def _outcome(outcome: Outcome, reason: str | None, settled_by: str | None, rule: str | None = None) -> str:
    why = f": {reason}" if reason else ""
    because = f"settled by {settled_by}" if settled_by else rule or _RULES[outcome]
    return f"now: {outcome.value}{why} ({because})"
