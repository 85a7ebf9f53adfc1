"""Folding the records of one target into its state: one function for each record that changes something."""

from __future__ import annotations

from collections import Counter
from typing import Protocol

from orchestrator.model.durations import Durations
from orchestrator.model.moment import Moment
from orchestrator.model.outcome import Outcome, Phase
from orchestrator.model.record import (
    AnswerMissing,
    AnswerSeen,
    AttemptDisproved,
    DoubtLooked,
    DoubtRemains,
    DoubtRenewed,
    FollowTimedOut,
    Intent,
    JobSeen,
    Postponed,
    PreflightDone,
    Record,
    ReturnedToWaiting,
    Reverified,
    Settled,
    StoryFailed,
    VersionAdopted,
    VersionReached,
    WorkflowAdopted,
)
from orchestrator.model.refusal import refusals
from orchestrator.model.state import TURNED_AWAY, Attempt, TargetState
from orchestrator.model.status import ScopeStatus, WaveStatus
from orchestrator.model.timeline import Timeline

#: Verdicts that settle a target, unless an earlier attempt of it was doubtful.
_REFUSALS = frozenset({"rejected", "refused", "busy"})


class _Run(Protocol):
    """What a fold changes beside the target's own state."""

    waves: dict[str, WaveStatus]
    scopes: dict[str, ScopeStatus]
    rejects: Counter[str]
    known_rejects: set[str]
    new_rejects: dict[str, str]
    durations: Durations
    job_names: dict[str, set[str]]
    accepted_on: dict[str, dict[str, Moment]]
    accepted_in: dict[str, Moment]
    accepted: set[str]
    upgrade_calls: int
    troubles: list[str]
    workflows: dict[str, str]
    contested: set[str]
    astray: dict[str, str]
    timeline: Timeline

    def join_wave(self, state: TargetState, wave: str) -> None: ...

    def own(self, state: TargetState, workflow_id: str) -> None: ...

    def contest(self, workflow_id: str) -> None: ...

    def disown(self, state: TargetState, workflow_id: str) -> None: ...


def fold(run: _Run, state: TargetState, record: Record) -> None:  # noqa: C901, PLR0912  # one line for each record
    """Apply a record of a target to its state, and to what the run remembers of all targets together."""
    state.folded += 1
    match record:
        case PreflightDone():
            run.join_wave(state, record.wave)
            state.not_before, state.read_version = None, record.current_version
        case Postponed():
            _postpone(run, state, record)
        case Intent():
            _intend(run, state, record)
        case AnswerSeen():
            _answer(run, state, record)
        case AnswerMissing():
            _miss(state, record)
        case DoubtLooked():
            state.evidence.append(record.finding)
        case WorkflowAdopted():
            _adopt(run, state, record)
        case VersionAdopted():
            _reach(state, record.version)
            state.evidence.append(record.evidence)
        case AttemptDisproved():
            _disprove(state, record)
        case DoubtRenewed():
            _renew_doubt(run, state, record)
        case DoubtRemains():
            _remain(state, record)
        case JobSeen():
            _see_job(run, state, record)
        case VersionReached():
            _reach(state, record.version)
        case FollowTimedOut():
            _time_out(state, record)
        case Reverified():
            _reverify(state, record)
        case Settled():
            _settle(run, state, record)
        case ReturnedToWaiting():
            _return(state, record)
        case StoryFailed():
            _break_off(run, state, record)
        case _:
            pass
    if state.outcome is not None:
        state.phase = Phase.SETTLED  # also when an answer comes after a person has settled it
    elif state.set_aside:
        state.phase = Phase.IN_DOUBT  # whatever comes later, until a person decides


def _postpone(run: _Run, state: TargetState, record: Postponed) -> None:
    run.join_wave(state, record.wave)
    state.phase = Phase.WAITING
    state.not_before = record.until
    state.reason, state.error_code = record.why, record.error_code
    state.postponed = run.timeline.moment(record.at, state.target.scope)
    if record.busy:
        state.busy_since, state.busy_at = state.busy_since or state.postponed, state.postponed
        state.busy_times += 1


def _intend(run: _Run, state: TargetState, record: Intent) -> None:
    run.join_wave(state, record.wave)
    if not state.attempts:
        run.waves[record.wave].sent += 1
    sent = run.timeline.moment(record.at, state.target.scope, record.clocks)
    state.attempts.append(Attempt(record, sent))
    state.phase = Phase.IN_FLIGHT
    state.doubt_since, state.doubts_renewed = sent, 0
    state.reason = state.error_code = None
    run.upgrade_calls += 1


def _answer(run: _Run, state: TargetState, record: AnswerSeen) -> None:
    attempt = state.attempts[record.attempt - 1]
    attempt.answer = record
    if record.verdict in TURNED_AWAY:
        state.turned_away += 1
    else:
        state.turned_away = 0
        run.scopes[state.target.scope].got_through += 1
    if record.cloud_offset_s is not None and state.target.scope not in run.timeline.offsets:
        within_s = 1.0 + record.duration_ms / 1000
        run.timeline.learn(state.target.scope, record.at, record.cloud_offset_s, within_s)
    _count_rejects(run, record)
    state.disowned.update(record.strays)
    for entry in record.update_result:
        if entry.workflow_id and entry.instance_id not in (None, state.target.instance_id):
            run.astray[entry.workflow_id] = entry.instance_id
    if record.verdict in ("accepted", "partial") and not _contested(run, state, record):
        _accept(run, state, record)
    elif attempt.doubtful or (state.doubtful_from is not None and record.verdict in _REFUSALS):
        doubt(state)


def _contested(run: _Run, state: TargetState, record: AnswerSeen) -> bool:
    """Whether an answer names a workflow that another answer gave to another target: neither can be trusted."""
    named = {entry.workflow_id for entry in record.update_result if entry.workflow_id}
    twice = {each for each in named if each in run.contested or run.workflows.get(each, state.key) != state.key}
    for workflow_id in sorted(twice):
        run.contest(workflow_id)
        run.contested.add(workflow_id)
        state.evidence.append(f"workflow {workflow_id} was given to another target too")
    state.disowned.update(twice)
    state.attempts[record.attempt - 1].contested = bool(twice)
    return bool(twice)


def _count_rejects(run: _Run, record: AnswerSeen) -> None:
    for refusal in refusals(record):
        sign = refusal.signature
        run.rejects[sign] += 1
        if run.rejects[sign] == 1 and sign not in run.known_rejects:
            run.new_rejects[sign] = refusal.text


def _accept(run: _Run, state: TargetState, record: AnswerSeen) -> None:
    state.phase = Phase.IN_FLIGHT
    state.accepted_at = run.timeline.moment(record.at, state.target.scope)
    run.accepted_in[state.target.scope] = state.accepted_at
    for entry in record.update_result:
        if entry.accepted and entry.workflow_id:
            run.own(state, entry.workflow_id)
            run.accepted.add(entry.workflow_id)
            run.accepted_on.setdefault(state.target.instance_id, {})[entry.workflow_id] = state.accepted_at


def doubt(state: TargetState) -> None:
    """The latest attempt has no answer that can be trusted."""
    state.phase = Phase.DOUBT
    state.doubtful_from = state.doubtful_from or state.last.sent


def _miss(state: TargetState, record: AnswerMissing) -> None:
    if state.attempts[record.attempt - 1].answer is None and state.questions(record):
        doubt(state)


def _disprove(state: TargetState, record: AttemptDisproved) -> None:
    state.evidence.append(record.evidence)
    if state.questions(record):
        state.phase = Phase.WAITING


def _remain(state: TargetState, record: DoubtRemains) -> None:
    if state.questions(record):
        state.phase, state.reason = Phase.IN_DOUBT, record.why


def _time_out(state: TargetState, record: FollowTimedOut) -> None:
    if state.is_open:
        state.phase, state.reason = Phase.TIMED_OUT, record.why


def _renew_doubt(run: _Run, state: TargetState, record: DoubtRenewed) -> None:
    if record.workflow_id is not None:
        run.disown(state, record.workflow_id)
    state.evidence.append(record.why)
    if state.began:
        return
    state.phase = Phase.DOUBT
    state.doubt_since = run.timeline.moment(record.at, state.target.scope)
    state.doubtful_from = state.doubtful_from or state.attempts[state.decided].sent
    state.doubts_renewed += 1


def _adopt(run: _Run, state: TargetState, record: WorkflowAdopted) -> None:
    if run.workflows.get(record.workflow_id, state.key) != state.key:
        run.contest(record.workflow_id)
    run.own(state, record.workflow_id)
    state.phase = Phase.IN_FLIGHT
    state.accepted_at = state.accepted_at or state.last.sent
    # From now on, not from the intent on: it may have begun much later, and only lists read from now on must show it.
    run.accepted_on.setdefault(state.target.instance_id, {})[record.workflow_id] = run.timeline.moment(
        record.at, state.target.scope
    )
    state.evidence.append(record.evidence)
    state.reason = None


def _reach(state: TargetState, version: str) -> None:
    state.upgraded_by = version
    state.phase = Phase.IN_FLIGHT
    state.reason = None


def _see_job(run: _Run, state: TargetState, record: JobSeen) -> None:
    run.own(state, record.workflow_id)
    state.jobs[record.workflow_id] = record
    if record.ended or state.phase is Phase.IN_DOUBT:
        state.phase = Phase.IN_FLIGHT
        state.reason = None
    if record.ended and state.accepted_at is not None and record.status.lower() == "completed":
        run.durations.add(_duration_s(run, state, state.accepted_at, record))
    if record.name:
        run.job_names.setdefault(state.target.scope, set()).add(record.name)


def _duration_s(run: _Run, state: TargetState, accepted_at: Moment, record: JobSeen) -> float:
    """How long an upgrade took: to the end that the cloud reported, if that is before we saw it."""
    scope = state.target.scope
    seen_s = run.timeline.elapsed_s(accepted_at, record.at, scope)
    if record.ended_at is None:
        return seen_s
    told_s = (record.ended_at - run.timeline.cloud_time(accepted_at, scope)).total_seconds()
    return min(seen_s, told_s) if told_s > 0 else seen_s


def _settle(run: _Run, state: TargetState, record: Settled) -> None:
    if record.wave is not None:
        run.join_wave(state, record.wave)
    state.phase, state.set_aside = Phase.SETTLED, None
    state.outcome = record.outcome
    state.reason, state.error_code = record.reason, record.error_code
    state.settled_by, state.settled_at = record.settled_by, record.at
    state.verified_version = record.verified_version or state.verified_version
    if record.evidence:
        state.evidence.append(record.evidence)


def _reverify(state: TargetState, record: Reverified) -> None:
    state.verified_version = record.version or state.verified_version
    if not record.healthy:
        state.outcome = Outcome.FAILED
        state.reason = record.finding


def _break_off(run: _Run, state: TargetState, record: StoryFailed) -> None:
    if record.wave is not None:
        run.join_wave(state, record.wave)
    why = f"internal error: {record.error}"
    state.evidence.append(why)
    run.troubles.append(f"target {state.key}: {record.error}")
    if state.is_open:
        state.phase, state.reason = Phase.IN_DOUBT, why


def _return(state: TargetState, record: ReturnedToWaiting) -> None:
    if state.jobs or not (state.is_open or state.set_aside):
        return  # an answer came meanwhile: it was sent
    state.phase, state.set_aside = Phase.WAITING, None
    state.doubtful_from = state.accepted_at = None
    state.decided = len(state.attempts)
    state.turned_away = 0
    state.reason = None
    state.evidence.append(f"settled as not sent by {record.settled_by}: {record.note}")
