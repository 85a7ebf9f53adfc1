"""What a run waits for, and what one of its targets waits for, as the decision that starts them sees it. Pure."""

from datetime import datetime

from orchestrator.executor.decide.actions import Action, AskGate, Finish, Hold, ReadCloud, Start, WaitUntil
from orchestrator.executor.decide.bench import SUBNET, Later, is_slot
from orchestrator.executor.decide.limits import target_block
from orchestrator.executor.decide.next_action import next_action
from orchestrator.executor.decide.one_target.blocked import blocked
from orchestrator.executor.decide.one_target.doubt_period import doubt_ends, first_doubt_ends
from orchestrator.executor.decide.one_target.slot_holders import holder_words, holders
from orchestrator.executor.decide.opening.addresses import subnet_wait
from orchestrator.executor.decide.opening.closed import closed_wait
from orchestrator.executor.decide.opening.gates import gate_wait
from orchestrator.executor.decide.opening.start_gate import start_opening, target_opening
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.executor.decide.wait_words import (
    block_wait,
    busy_wait,
    hold_wait,
    rate_wait,
    scope_wait,
    slot_name,
    slot_wait,
)
from orchestrator.executor.decide.waits import Cause, Wait, shown
from orchestrator.model.plan.target import Target
from orchestrator.model.record.outcome import Phase
from orchestrator.model.run.state import TargetState
from orchestrator.model.run.tally import EMPTY

#: What stands before everything else, for every target.
_OF_ALL = frozenset(
    [
        *(Cause.HOLD, Cause.APPROVAL, Cause.CHANGED, Cause.ELSEWHERE),
        *(Cause.WINDOW, Cause.FREEZE, Cause.FIT, Cause.PER_WINDOW, Cause.BOUND, Cause.PERSON),
    ]
)


#: What goes on by itself, with the end of an upgrade or the next start, and may hide a scope that cannot be used.
_PASSES = frozenset(
    [
        *(Cause.LIMIT, Cause.LABEL, Cause.RAMP, Cause.BUDGET, Cause.RATE, Cause.JOB, Cause.DOUBT),
        *(Cause.BUSY, Cause.STEP, Cause.TURN),
    ]
)


def fleet_wait(rollout: Rollout, now: datetime, *, working: bool) -> Wait:
    """What the run waits for.

    Args:
        rollout: the run.
        now: by the clock of the session.
        working: whether a process works on it now; what is next is done at once then, and with the next start else.
    """
    wait = _decided(rollout, now, working=working)
    hidden = _out_of_use(rollout, now, working=working) if wait.cause in _PASSES else None
    return hidden or wait


def _decided(rollout: Rollout, now: datetime, *, working: bool) -> Wait:
    """What the decision waits for."""
    action = next_action(rollout, now)
    if rollout.barred is not None and not working and _idle(rollout, action):
        return rollout.barred
    return _of_action(rollout, action, now, working=working)


def _out_of_use(rollout: Rollout, now: datetime, *, working: bool) -> Wait | None:
    """The scope that cannot be used and keeps most of those back that wait; None when there is no such.

    Without a process also one that was given up and keeps but some back: the next start only comes to the same end.
    """
    scopes, queue = rollout.run.scopes.values(), rollout.queue
    found = [(_waiting_in(rollout, each.name), each) for each in scopes if queue.waits_in(each.name)]
    shut = [(number, each, wait) for number, each in found if (wait := scope_wait(each, now)) is not None]
    most = 2 * sum(number for number, _, _ in shut) > rollout.run.waiting
    named = [(number, wait) for number, each, wait in shut if most or (each.given_up and not working)]
    return max(named, key=lambda each: each[0], default=(0, None))[1]


def _waiting_in(rollout: Rollout, scope: str) -> int:
    """How many targets of a scope have neither started nor an outcome."""
    return rollout.unsettled_in(scope) - rollout.run.tally.scopes.get(scope, EMPTY).open


def _idle(rollout: Rollout, action: Action) -> bool:
    """Whether only time or a next start would move the run: nothing is open, and nobody has to release it."""
    held = isinstance(action, Hold) or rollout.run.hold is not None
    return not held and next(iter(rollout.run.open_states()), None) is None


def _of_action(rollout: Rollout, action: Action, now: datetime, *, working: bool) -> Wait:
    match action:
        case WaitUntil(wait=wait):
            return _in_full(rollout, wait, now)
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
        return _open(rollout, state, now)
    fleet = _decided(rollout, now, working=working)
    if fleet.cause is Cause.PERSON and (slot := _its_slot(rollout, target, now)) is not None:
        return slot
    if fleet.cause in _OF_ALL:
        return fleet
    found = scope_wait(rollout.run.scopes[target.scope], now, reached=not working)
    gate = start_opening(rollout, now)
    if found is None and not gate.open:
        return closed_wait(rollout, gate, now)
    found = found or _by_wave(rollout, target) or _by_itself(rollout, target, now)
    if found is not None:
        return found
    return rate_wait(rollout, target.scope) if fleet.cause is Cause.RATE else fleet


def _in_full(rollout: Rollout, wait: Wait, now: datetime) -> Wait:
    """A wait with what the decision leaves out, for it scans what the run has touched: until when, and who holds it."""
    if wait.cause is Cause.DOUBT:
        return _doubt_wait(wait.facts[0], first_doubt_ends(rollout, now))
    block = rollout.queue.first_block()
    if block is not None and is_slot(block) and wait == slot_wait(rollout, block):
        return slot_wait(rollout, block, holder_words(rollout, block))
    return wait


def _doubt_wait(whose: str, ends: datetime | None) -> Wait:
    return Wait(
        Cause.DOUBT, (whose if ends is None else f"{whose}, whose doubt period ends at {shown(ends)} UTC",), ends
    )


def _open(rollout: Rollout, state: TargetState, now: datetime) -> Wait:
    if state.phase is Phase.IN_FLIGHT:
        return Wait(Cause.JOB, ("its upgrade",))
    reason = state.reason or "nothing is known yet"
    if state.phase is Phase.DOUBT:
        return _doubt_wait(f"its attempt ({reason})", doubt_ends(rollout, state, now))
    return Wait(Cause.PERSON, (f"it: {reason}",))


def _its_slot(rollout: Rollout, target: Target, now: datetime) -> Wait | None:
    """The slot of its instance or of a label that a target waits for, with who holds it; None when it waits for none.

    Where only a person can free it, that person is waited for.
    """
    block = blocked(rollout, target, now)
    if not isinstance(block, tuple) or isinstance(block, Later) or not is_slot(block):
        return None
    stuck = slot_holder(rollout, target)
    if stuck is None:
        return slot_wait(rollout, block, holder_words(rollout, block))
    return Wait(Cause.PERSON, (f"{stuck.key} ({stuck.standing}), which holds its slot: {slot_name(rollout, block)}",))


def slot_holder(rollout: Rollout, target: Target) -> TargetState | None:
    """The first of those that hold the slot of its instance or of a label, when only a person can free it."""
    block = target_block(rollout, target)
    found = [] if block is None else holders(rollout, block)
    return found[0] if found and all(state.key in rollout.resting for state in found) else None


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
        case _ if is_slot(block):
            return _its_slot(rollout, target, now)
        case _:
            return subnet_wait(rollout, target) if block[0] == SUBNET else block_wait(rollout, block)
