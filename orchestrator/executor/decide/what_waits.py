"""What a run waits for, and what one of its targets waits for, as the decision that starts them sees it. Pure."""

from datetime import datetime

from orchestrator.executor.decide.actions import AskGate, Finish, Hold, ReadCloud, Start, WaitUntil
from orchestrator.executor.decide.bench import SUBNET, Later
from orchestrator.executor.decide.next_action import next_action
from orchestrator.executor.decide.one_target.blocked import blocked
from orchestrator.executor.decide.opening.addresses import subnet_wait
from orchestrator.executor.decide.opening.closed import closed_wait
from orchestrator.executor.decide.opening.gates import gate_wait
from orchestrator.executor.decide.opening.start_gate import start_opening, target_opening
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.executor.decide.wait_words import block_wait, busy_wait, hold_wait, rate_wait, scope_wait
from orchestrator.executor.decide.waits import Cause, Wait
from orchestrator.model.plan.target import Target
from orchestrator.model.record.outcome import Phase
from orchestrator.model.run.state import TargetState

#: What stands before everything else, for every target.
_OF_ALL = frozenset(
    [
        *(Cause.HOLD, Cause.APPROVAL, Cause.CHANGED, Cause.ELSEWHERE),
        *(Cause.WINDOW, Cause.FREEZE, Cause.FIT, Cause.PER_WINDOW, Cause.BOUND, Cause.PERSON),
    ]
)


def fleet_wait(rollout: Rollout, now: datetime, *, working: bool) -> Wait:
    """What the run waits for.

    Args:
        rollout: the run.
        now: by the clock of the session.
        working: whether a process works on it now; what is next is done at once then, and with the next start else.
    """
    action = next_action(rollout, now)
    match action:
        case WaitUntil(wait=wait):
            return wait
        case Finish(wait=wait, why=why):
            return wait or Wait(Cause.NOTHING, (why,))
        case Hold():
            return hold_wait(action)
        case AskGate() | ReadCloud():
            return _asked(rollout, action)
        case Start(target=target) if working:
            return rate_wait(rollout, target.scope)
        case _:
            return _of_opening(rollout, now) or Wait(Cause.STEP if working else Cause.TURN)


def _asked(rollout: Rollout, action: AskGate | ReadCloud) -> Wait:
    if isinstance(action, AskGate):
        return gate_wait(rollout, action.gate)
    return block_wait(rollout, action.block)


def _of_opening(rollout: Rollout, now: datetime) -> Wait | None:
    """What keeps a wave that is about to open from starting anything."""
    gate = start_opening(rollout, now)
    return None if gate.open else closed_wait(rollout, gate, now)


def target_wait(rollout: Rollout, target: Target, now: datetime, *, working: bool) -> Wait:
    """What a target without an outcome waits for; of several things the one that keeps the most others back."""
    state = rollout.run.states.get(target.proxy_id)
    if state is not None and state.is_open:
        return _open(state)
    fleet = fleet_wait(rollout, now, working=working)
    if fleet.cause in _OF_ALL:
        return fleet
    found = scope_wait(rollout.run.scopes[target.scope], now)
    gate = start_opening(rollout, now)
    if found is None and not gate.open:
        return closed_wait(rollout, gate, now)
    found = found or _by_wave(rollout, target) or _by_itself(rollout, target, now)
    if found is not None:
        return found
    return rate_wait(rollout, target.scope) if fleet.cause is Cause.RATE else fleet


def _open(state: TargetState) -> Wait:
    if state.phase is Phase.IN_FLIGHT:
        return Wait(Cause.JOB, ("its upgrade",))
    reason = state.reason or "nothing is known yet"
    if state.phase is Phase.DOUBT:
        return Wait(Cause.DOUBT, (f"its attempt: {reason}",))
    return Wait(Cause.PERSON, (f"it: {reason}",))


def _by_wave(rollout: Rollout, target: Target) -> Wait | None:
    wave = rollout.wave
    if wave is None or rollout.run.waves[wave.name].soaks_until is not None or rollout.queue.takes(wave.name, target):
        return None
    return Wait(Cause.EARLIER_WAVE, (wave.name,))


def _by_itself(rollout: Rollout, target: Target, now: datetime) -> Wait | None:
    block = blocked(rollout, target, now)
    match block:
        case None:
            return None
        case Later(instant=instant):
            return busy_wait(rollout, target, instant)
        case datetime():
            return closed_wait(rollout, target_opening(rollout, target, now), now, target)
        case _:
            return subnet_wait(rollout, target) if block[0] == SUBNET else block_wait(rollout, block)
