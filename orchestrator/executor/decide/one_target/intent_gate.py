"""Whether an intent may be written now, and which records it must not overtake. Pure."""

from datetime import datetime

from orchestrator.executor.decide.limits import due_hold, room
from orchestrator.executor.decide.opening.start_gate import start_opening, target_opening
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.model.outcome import Outcome
from orchestrator.model.plan import Failures
from orchestrator.model.record import AnswerSeen, DoubtRemains, FollowTimedOut, Record, Reverified, Settled, StoryFailed
from orchestrator.model.state import TargetState


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
    run = rollout.run
    if rollout.stop is not None:
        return rollout.stop
    if run.hold is not None:
        return f"held: {run.hold.reason}"
    for gate in (start_opening(rollout, now), target_opening(rollout, state.target, now)):
        if not gate.open:
            return gate.why
    due = due_hold(rollout)
    if due is not None:
        return due.reason
    free = room(rollout)
    if free.free < 0:
        return f"no slot: {free.why}"
    return None if state.key in rollout.queue.starting else "it holds no reservation"
