"""Whether an intent may be written now, and which records it must not overtake. Pure."""

from datetime import datetime

from orchestrator.executor.decide.limits import due_hold, room
from orchestrator.executor.decide.opening.addresses import hopeless, short_subnet
from orchestrator.executor.decide.opening.cloud_events import unread_events
from orchestrator.executor.decide.opening.gates import closed_gate
from orchestrator.executor.decide.opening.start_gate import start_opening, target_opening
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.model.plan.plan import Failures
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import (
    AnswerSeen,
    DoubtRemains,
    FollowTimedOut,
    Record,
    Reverified,
    Settled,
    StoryFailed,
)
from orchestrator.model.run.state import TargetState


def may_trip(failures: Failures, record: Record) -> bool:
    """Whether a record may be the one for which the fleet is held, so that no intent may come between."""
    match record:
        case Settled(outcome=outcome):
            return outcome is Outcome.REJECTED or outcome.value in failures.counts
        case AnswerSeen(verdict="rejected" | "refused" | "partial"):
            return failures.new_reject == "hold"
        case DoubtRemains() | FollowTimedOut() | StoryFailed():
            return True
        case Reverified(healthy=healthy):
            return not healthy
        case _:
            return False


def may_send(rollout: Rollout, state: TargetState, now: datetime) -> str | None:
    """Why the intent of a target may not be written now; None when it may. The target holds a reservation."""
    closed = _stopped(rollout) or _shut(rollout, state, now)
    if closed is not None:
        return closed
    due = due_hold(rollout)
    if due is not None:
        return due.reason
    free = room(rollout, now)
    if free.free < 0:
        return f"no slot: {free.why}"
    return None if state.key in rollout.queue.starting else "it holds no reservation"


def may_begin(rollout: Rollout, state: TargetState, now: datetime) -> str | None:
    """Why the story of a target whose turn it is may not begin now; None when it may, and its intent may follow.

    One that has no hope of addresses begins without, to be deferred.
    """
    return _stopped(rollout) if hopeless(rollout, state.target, now) else may_send(rollout, state, now)


def _stopped(rollout: Rollout) -> str | None:
    hold = rollout.run.hold
    return rollout.stop or (None if hold is None else f"held: {hold.reason}")


def _shut(rollout: Rollout, state: TargetState, now: datetime) -> str | None:
    """By the calendar, the session's bound, the cloud's own events, a gate, or addresses."""
    for opening in (start_opening(rollout, now), target_opening(rollout, state.target, now)):
        if not opening.open:
            return opening.why
    if unread_events(rollout, state.target, now) is not None:
        return f"what the cloud does itself in scope {state.target.scope} was read too long ago"
    gate = closed_gate(rollout, state.target, now)
    if gate is not None:
        return f"gate {gate.name} is closed"
    subnet = short_subnet(rollout, state.target, now)
    return None if subnet is None else f"subnet {subnet} has too few free addresses"
