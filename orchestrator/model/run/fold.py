"""Folding the records of one target into its state: one function for each record that changes something."""

from bisect import insort
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from orchestrator.model.learned.impact import merged
from orchestrator.model.record.moment import Moment
from orchestrator.model.record.outcome import BEGAN, Outcome, Phase
from orchestrator.model.record.part_record import trouble_words
from orchestrator.model.record.record import (
    AnswerMissing,
    AnswerSeen,
    AttemptDisproved,
    DoubtLooked,
    DoubtRemains,
    DoubtRenewed,
    FollowTimedOut,
    ImpactSampled,
    Intent,
    JobSeen,
    NotReverified,
    Postponed,
    PreflightDone,
    Record,
    ReturnedToWaiting,
    Reverified,
    Settled,
    StoryFailed,
    TurnGiven,
    TurnReturned,
    VersionAdopted,
    VersionReached,
    WorkflowAdopted,
)
from orchestrator.model.reply.reply import key_of
from orchestrator.model.run.fold_answer import fold_answer
from orchestrator.model.run.known import Indexes
from orchestrator.model.run.state import TargetState
from orchestrator.model.run.upgrade_call import Attempt


def fold(known: Indexes, state: TargetState, record: Record) -> None:
    """Apply a record of a target to its state, and to what the run knows of all targets together."""
    state.folded += 1
    change = _CHANGES.get(type(record))
    if change is not None:
        change(known, state, record)
    if state.outcome is not None and _disputed(state) and _says_nothing_began(state.outcome, state.settled_by):
        _withdraw(state)  # by a late answer: who settled it had not heard of that
    if state.outcome is not None:
        state.phase = Phase.SETTLED  # also when an answer comes after a person has settled it
    elif state.set_aside:
        state.phase = Phase.IN_DOUBT  # whatever comes later, until a person decides
    if state.phase is not Phase.SETTLED:  # its end keeps since when it needed a person, and why
        state.stuck_at = (state.stuck_at or record.at) if state.needs_person else None
        state.stuck_why = f"{state.phase.value.replace('_', ' ')}: {state.plain_reason}" if state.stuck_at else None


def _disputed(state: TargetState) -> bool:
    """Whether something of ours began there, or may have: who concludes that nothing did has not heard of it."""
    return state.is_open and (state.began or state.doubtful)


def _says_nothing_began(outcome: Outcome, settled_by: str | None) -> bool:
    """Whether an outcome was concluded from what was seen of the target, and is that no upgrade of ours began."""
    return settled_by is None and outcome not in BEGAN


def _withdraw(state: TargetState) -> None:
    state.outcome = state.reason = state.error_code = state.ended = state.settled_at = None


def _give_turn(known: Indexes, state: TargetState, record: TurnGiven) -> None:
    known.join_wave(state, record.wave)
    known.turns[state.key] = record.wave  # taken back at once if it has begun meanwhile


def _end_turn(known: Indexes, state: TargetState, _record: TurnReturned) -> None:
    known.turns.pop(state.key, None)


def _read(known: Indexes, state: TargetState, record: PreflightDone) -> None:
    known.join_wave(state, record.wave)
    state.not_before, state.read_version = None, record.current_version
    state.service_impact_s = record.service_impact_s
    state.nodes = record.nodes or state.nodes
    if record.upgrade_s is not None:
        known.foretold.add(record.upgrade_s)


def _postpone(known: Indexes, state: TargetState, record: Postponed) -> None:
    known.join_wave(state, record.wave)
    known.turns.pop(state.key, None)
    if _disputed(state):
        return  # an answer came meanwhile: it was sent
    state.phase = Phase.WAITING
    state.not_before = record.until
    state.reason, state.error_code = record.why, record.error_code
    state.postponed = known.timeline.moment(record.at, state.target.scope)
    if record.busy:
        state.busy_since, state.busy_at = state.busy_since or state.postponed, state.postponed
        state.busy_times += 1


def _intend(known: Indexes, state: TargetState, record: Intent) -> None:
    known.join_wave(state, record.wave)
    if not state.attempts:
        known.waves[record.wave].sent += 1
    sent = known.timeline.moment(record.at, state.target.scope, record.clocks)
    server = known.scopes[state.target.scope].server
    host = known.hosts.send(server, (attempt.host for attempt in state.attempts))
    state.attempts.append(Attempt(record, sent, host=host))
    state.phase = Phase.IN_FLIGHT
    state.doubt_since, state.doubts_renewed = sent, 0
    state.reason = state.error_code = None
    known.upgrade_calls += 1
    insort(known.sent_at, (record.at + timedelta(seconds=record.ahead_s)).timestamp())


def _miss(_known: Indexes, state: TargetState, record: AnswerMissing) -> None:
    if state.attempts[record.attempt - 1].answer is None and state.questions(record):
        state.doubt()


def _disprove(_known: Indexes, state: TargetState, record: AttemptDisproved) -> None:
    state.evidence.append(record.evidence)
    if state.questions(record):
        state.phase = Phase.WAITING


def _remain(_known: Indexes, state: TargetState, record: DoubtRemains) -> None:
    if state.questions(record) and not state.unsent:
        state.phase, state.reason = Phase.IN_DOUBT, record.why


def _time_out(_known: Indexes, state: TargetState, record: FollowTimedOut) -> None:
    if state.is_open:
        state.phase, state.reason = Phase.TIMED_OUT, record.why


def _renew_doubt(known: Indexes, state: TargetState, record: DoubtRenewed) -> None:
    state.evidence.append(record.why)
    if record.workflow_id is not None:
        known.disown(state, record.workflow_id)
    state.suspects = state.suspects.union(map(key_of, record.jobs))
    if state.began:
        return
    state.phase = Phase.DOUBT
    state.doubt_since = known.timeline.moment(record.at, state.target.scope)
    state.doubtful_from = state.doubtful_from or state.attempts[state.decided].sent
    state.doubts_renewed += 1


def _adopt(known: Indexes, state: TargetState, record: WorkflowAdopted) -> None:
    for other in known.others_with(record.workflow_id, state):
        known.contest(other, record.workflow_id, shown=True)
    known.own(state, record.workflow_id)
    known.named_by_job.update([key_of(record.workflow_id)] if record.named else [])
    known.listed.update([key_of(record.workflow_id)] if record.listed else [])
    if state.was_answered(record.workflow_id):
        known.accepted.add(key_of(record.workflow_id))
    state.phase = Phase.IN_FLIGHT
    state.accepted_at = state.accepted_at or state.last.sent
    # From now on, not from the intent on: it may have begun much later, and only lists read from now on must show it.
    since = known.timeline.moment(record.at, state.target.scope)
    known.accepted_on.add(state.target.instance_id, key_of(record.workflow_id), since)
    state.evidence.append(record.evidence)
    state.reason = None


def _doubt_look(_known: Indexes, state: TargetState, record: DoubtLooked) -> None:
    state.evidence.append(record.finding)
    state.suspects = state.suspects.union(map(key_of, record.jobs))


def _miss_reading(_known: Indexes, state: TargetState, record: NotReverified) -> None:
    state.evidence.append(record.finding)


def _reach(_known: Indexes, state: TargetState, record: VersionReached | VersionAdopted) -> None:
    state.upgraded_by = record.version
    state.phase = Phase.IN_FLIGHT
    state.reason = None
    if record.evidence:
        state.evidence.append(record.evidence)


def _see_job(known: Indexes, state: TargetState, record: JobSeen) -> None:
    workflow_id = state.written(record.workflow_id)
    if key_of(workflow_id) in state.shared and workflow_id not in state.jobs:
        return  # since it was read, another target was given it too
    known.own(state, workflow_id)
    state.jobs[workflow_id] = record
    if record.ended or state.phase is Phase.IN_DOUBT:
        state.phase = Phase.IN_FLIGHT
        state.reason = None
    if record.ended and state.accepted_at is not None and record.status.lower() == "completed":
        known.durations.add(_duration_s(known, state, state.accepted_at, record))
    if record.name:
        known.job_names.setdefault(state.target.scope, set()).add(record.name)


def _duration_s(known: Indexes, state: TargetState, accepted_at: Moment, record: JobSeen) -> float:
    """How long an upgrade took: to the end that the cloud reported, if that is before we saw it."""
    scope = state.target.scope
    seen_s = known.timeline.elapsed_s(accepted_at, record.at, scope)
    if record.ended_at is None:
        return seen_s
    told_s = (record.ended_at - known.timeline.cloud_time(accepted_at, scope)).total_seconds()
    return min(seen_s, told_s) if told_s > 0 else seen_s


def _settle(known: Indexes, state: TargetState, record: Settled) -> None:
    if record.wave is not None:
        known.join_wave(state, record.wave)
    if _disputed(state) and _says_nothing_began(record.outcome, record.settled_by):
        return  # an answer came meanwhile: it was sent
    known.hosts.settled = True
    state.phase, state.set_aside = Phase.SETTLED, None
    state.outcome = record.outcome
    state.reason, state.error_code = record.reason, record.error_code
    state.settled_by, state.settled_host, state.settled_at = record.settled_by, record.host, record.at
    state.ended = known.timeline.moment(record.at, state.target.scope)
    state.verified_version = record.verified_version or state.verified_version
    if record.evidence:
        state.evidence.append(record.evidence)


def _reverify(_known: Indexes, state: TargetState, record: Reverified) -> None:
    state.verified_version = record.version or state.verified_version
    if not record.healthy:
        state.outcome = Outcome.FAILED
        state.reason = record.finding


def _break_off(known: Indexes, state: TargetState, record: StoryFailed) -> None:
    if record.wave is not None:
        known.join_wave(state, record.wave)
    known.turns.pop(state.key, None)
    words, why = trouble_words(record.error, record.host), record.words
    state.evidence.append(why)
    (known.host_errors if record.host else known.troubles).append(f"target {state.key}: {words}")
    if state.is_open:
        state.phase, state.reason = Phase.IN_DOUBT, why


def _return(_known: Indexes, state: TargetState, record: ReturnedToWaiting) -> None:
    if state.jobs or not (state.is_open or state.set_aside):
        return  # an answer came meanwhile: it was sent
    state.phase, state.set_aside = Phase.WAITING, None
    state.doubtful_from = state.accepted_at = None
    state.suspects = frozenset()
    state.decided = len(state.attempts)
    state.turned_away = 0
    state.reason = None
    state.evidence.append(f"settled as not sent by {record.who}: {record.note}")


def _measure(known: Indexes, state: TargetState, record: ImpactSampled) -> None:
    state.impact = merged(state.impact, record)
    known.measured.add(state.key)


#: What each kind of record changes. A table: to ask up to 18 times for the type took 18 times as long for `Settled`.
_CHANGES: Mapping[type[Record], Callable[[Indexes, TargetState, Any], None]] = {
    TurnGiven: _give_turn,
    TurnReturned: _end_turn,
    PreflightDone: _read,
    Postponed: _postpone,
    Intent: _intend,
    AnswerSeen: fold_answer,
    AnswerMissing: _miss,
    DoubtLooked: _doubt_look,
    NotReverified: _miss_reading,
    WorkflowAdopted: _adopt,
    VersionAdopted: _reach,
    AttemptDisproved: _disprove,
    DoubtRenewed: _renew_doubt,
    DoubtRemains: _remain,
    JobSeen: _see_job,
    VersionReached: _reach,
    FollowTimedOut: _time_out,
    Reverified: _reverify,
    Settled: _settle,
    ReturnedToWaiting: _return,
    StoryFailed: _break_off,
    ImpactSampled: _measure,
}
