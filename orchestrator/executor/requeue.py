"""What a record that counts from now on means for the targets that wait to start."""

from orchestrator.executor.decide.bench import EVENTS, SUBNET
from orchestrator.executor.decide.opening.gates import gates_at
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.executor.decide.start_queue import StartQueue
from orchestrator.model.record.outcome import OPEN, REPLACED, Outcome, Phase
from orchestrator.model.record.record import (
    AttemptDisproved,
    ClockStepped,
    CloudEventsRead,
    CloudTimeLearned,
    LimitsChanged,
    NotReverified,
    Postponed,
    Record,
    Rested,
    ReturnedToWaiting,
    Reverified,
    Settled,
    StoryFailed,
    SubnetRead,
    TurnGiven,
    TurnReturned,
    WaveDone,
)
from orchestrator.model.run.state import TargetState


def reopen(rollout: Rollout, record: Record) -> None:
    """After a record about no target: those that waited for what it tells are looked at again."""
    if isinstance(record, ClockStepped | CloudTimeLearned):
        rollout.queue.reopen()
    elif isinstance(record, SubnetRead):
        rollout.queue.opened((SUBNET, record.subnet_id))
    elif isinstance(record, CloudEventsRead):
        rollout.queue.opened((EVENTS, record.scope))
        rollout.queue.reopen()
    elif isinstance(record, LimitsChanged):
        rollout.relimit()
    elif isinstance(record, WaveDone):
        for gate in gates_at(rollout, "wave"):  # what they said before is no answer about this wave
            rollout.watches[gate.name].forget()


def requeue(rollout: Rollout, record: Record, state: TargetState, *, was: Phase, outcome: Outcome | None) -> None:
    """After a record about one target: it leaves the line, comes back into it, or frees what others wait for.

    Args:
        rollout: the session's state.
        record: counts already.
        state: the target.
        was: its phase before.
        outcome: the one that it had before.
    """
    queue, target, was_open = rollout.queue, state.target, was in OPEN
    rollout.resting.discard(state.key)
    if state.is_open:
        _in_flight(queue, state, was, outcome)
    _turn(rollout, record, state)
    _reread(rollout, record, state)
    match record:
        case Postponed() if state.phase is Phase.WAITING:
            queue.back(target, state.not_before, turned_away=state.turned_away)
        case AttemptDisproved() | ReturnedToWaiting() if was_open and state.phase is Phase.WAITING:
            queue.back(target, turned_away=state.turned_away)
        case Settled() if state.outcome is None:
            pass  # void: the target goes on
        case Settled() if record.outcome in REPLACED and state.wave is not None:
            queue.left_out(target, state.wave)
        case Settled():
            queue.settled(target)
        case _:
            pass
    if was_open and not state.is_open:
        queue.freed(target)
    if state.set_aside or (isinstance(record, Rested) and state.is_open):
        rollout.resting.add(state.key)


def _turn(rollout: Rollout, record: Record, state: TargetState) -> None:
    """Its turn comes, or ends without an attempt. If its story broke off, it has no other in this session."""
    holds = state.key in rollout.queue.starting
    match record:
        case TurnGiven() if not holds and state.phase is Phase.WAITING:
            rollout.queue.begin(state.target, record.wave)
            rollout.given.append(state.key)
        case TurnReturned() if holds:
            rollout.queue.back(state.target, record.until)
        case StoryFailed():
            rollout.broken.add(state.key)
            if holds:
                rollout.queue.sit_out(state.target)
        case _:
            pass


def _reread(rollout: Rollout, record: Record, state: TargetState) -> None:
    """Another host has read a proxy once more, or could not."""
    if state.key in rollout.rereading and isinstance(record, Reverified | NotReverified | StoryFailed):
        rollout.rereading.discard(state.key)
        if state.wave is not None and not isinstance(record, Reverified):
            rollout.unverified.add(state.wave)


def _in_flight(queue: StartQueue, state: TargetState, was: Phase, outcome: Outcome | None) -> None:
    """A target is open: by our own intent, or because another host says so."""
    if state.key in queue.starting:
        queue.sent(state.target)
    elif was is Phase.WAITING:
        queue.left(state.target)
    elif outcome in REPLACED and state.wave is not None:
        queue.came_back(state.wave)
