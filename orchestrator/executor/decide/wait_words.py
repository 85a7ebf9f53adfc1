"""Why no target can be taken up: holds, scopes, limits, and what was sent back. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from orchestrator.executor.decide.actions import Hold
from orchestrator.executor.decide.bench import EVENTS, GATE, INSTANCE, LABEL, SUBNET, Block
from orchestrator.executor.decide.limits import Room, crowded
from orchestrator.executor.decide.opening.addresses import subnet_wait
from orchestrator.executor.decide.opening.closed import own_closed_wait
from orchestrator.executor.decide.opening.cloud_events import unread_wait
from orchestrator.executor.decide.opening.gates import gate_wait
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.executor.decide.waits import Cause, Wait, shown
from orchestrator.model.plan.target import Target
from orchestrator.model.record.record import HoldSet
from orchestrator.model.run.status import ScopeState, ScopeStatus
from orchestrator.spoken import counted

#: What is waited for in a scope that cannot be used, by its state.
_OUT_OF_USE: Mapping[ScopeState, Cause] = {
    "paused": Cause.PAUSED,
    "silent": Cause.SILENT,
    "given_up": Cause.GIVEN_UP,
}


def hold_wait(hold: HoldSet | Hold) -> Wait:
    """The person that a held fleet waits for."""
    if hold.cause == "approval" and hold.wave is not None:
        return Wait(Cause.APPROVAL, (hold.wave,))
    who = hold.who if isinstance(hold, HoldSet) else None
    return Wait(Cause.HOLD, (f"{hold.reason} (held by {who})" if who else hold.reason,))


def full_wait(rollout: Rollout, free: Room) -> Wait:
    """The limit of the fleet that is full; what fills it, when that is doubt alone, or what has not been sent yet."""
    starting = next(iter(rollout.queue.starting), None)
    if starting is not None and free.free + len(rollout.queue.starting) > 0:
        return rate_wait(rollout, rollout.run.targets[starting].scope)
    if starting is None and _only_doubts(rollout):
        return moving_wait(rollout)
    return Wait(free.cause, (free.why,))


def none_ready_wait(rollout: Rollout, now: datetime) -> Wait:
    """What the targets of the wave wait for when there is room, but none of them can be taken up."""
    return next(_of_waiting(rollout, now), None) or moving_wait(rollout)


def moving_wait(rollout: Rollout) -> Wait:
    """The end of what is under way: nothing else can be done before."""
    doubts = _doubts(rollout)
    if _only_doubts(rollout):
        return Wait(Cause.DOUBT, (counted(doubts, "attempt"),))
    return Wait(Cause.JOB, (counted(max(1, rollout.moving - max(0, doubts)), "upgrade"),))


def _doubts(rollout: Rollout) -> int:
    """How many attempts are in doubt, and evidence of them is looked for."""
    count = rollout.run.tally.fleet
    return count.open - count.standing["in_flight"] - len(rollout.resting)


def _only_doubts(rollout: Rollout) -> bool:
    """Whether all that moves is attempts in doubt."""
    return _doubts(rollout) > 0 and not rollout.run.tally.fleet.standing["in_flight"]


def rate_wait(rollout: Rollout, scope: str) -> Wait:
    """Nothing but the pace of the calls keeps a target of this scope from its start."""
    return Wait(Cause.RATE, (scope, f"{rollout.scope_rates[scope]:g}"))


def scope_wait(scope: ScopeStatus, now: datetime, *, reached: bool = True) -> Wait | None:
    """Why a scope cannot be used; None while it is open.

    Args:
        scope: as the journal tells it.
        now: by the clock of the session.
        reached: False where one that was not reached yet counts as out of use.
    """
    if scope.hosts:
        return Wait(Cause.UNSERVED, (scope.name, ", ".join(scope.hosts)))
    standing = scope.standing(now)
    if standing.state == "unreached":
        return None if reached else Wait(Cause.UNREACHED, (scope.name, "yet"))
    reason = standing.reason or "no reason is known"
    if standing.state == "throttled" and standing.until is not None:
        return _throttled_wait(scope, reason, standing.until, now)
    if standing.since is not None:
        reason += f", since {shown(standing.since)} UTC"
    cause = _OUT_OF_USE.get(standing.state)
    return None if cause is None else Wait(cause, (scope.name, reason))


def _throttled_wait(scope: ScopeStatus, reason: str, until: datetime, now: datetime) -> Wait:
    """A pause that the cloud asks for, until it ends; of a long one, until it is worth asking again: an hour later."""
    asks, probes = scope.probe_at, ""
    if asks is not None:
        until_it_asks = f"asked again from {shown(asks)} UTC on" if asks > now else "the next start asks again"
        probes = f", one probe an hour, {until_it_asks}"
    ends = until if asks is None else asks if asks > now else None
    return Wait(Cause.THROTTLED, (scope.name, probes, reason, shown(until)), ends)


def when_last_seen(wait: Wait) -> Wait:
    """A wait as the process left it that works no more: nobody asks its scope, and nobody looks for evidence."""
    if wait.cause in (Cause.PAUSED, Cause.SILENT, Cause.GIVEN_UP):
        return Wait(Cause.LAST_SEEN, wait.facts)
    if wait.cause is Cause.UNREACHED:
        return Wait(Cause.UNREACHED, (wait.facts[0], "by the last process"))
    return Wait(Cause.LOOK, wait.facts) if wait.cause is Cause.DOUBT else wait


def block_wait(rollout: Rollout, block: Block) -> Wait:
    """The limit or gate that keeps one target from starting, though there is room in the fleet."""
    kind, value = block
    if kind == EVENTS:
        return unread_wait(value)
    if kind == SUBNET:
        return subnet_wait(rollout, dict(rollout.queue.first_of(SUBNET))[value])
    gate = next((gate for gate in rollout.plan.gates if kind == GATE and gate.name == value), None)
    if gate is not None:
        return gate_wait(rollout, gate)
    return slot_wait(rollout, block)


def slot_wait(rollout: Rollout, block: Block, held_by: str = "") -> Wait:
    """A slot that others hold: of which limit, how many there are, and of whom, where that is known."""
    return Wait(Cause.LIMIT if block[0] == INSTANCE else Cause.LABEL, (f"{slot_name(rollout, block)}{held_by}",))


def slot_name(rollout: Rollout, block: Block) -> str:
    """A slot by its limit, and by the instance or the label that has it."""
    kind, value = block
    limits, name = rollout.plan.limits, kind.removeprefix(LABEL)
    if kind == INSTANCE:
        return f"per_instance {limits.per_instance} of instance {value}"
    return f"per_label {limits.per_label[name]} of {name}={value}"


def busy_wait(rollout: Rollout, target: Target, until: datetime) -> Wait:
    """A target was sent back, and is tried again at an instant."""
    state = rollout.run.states.get(target.proxy_id)
    reason = state.reason if state is not None and state.reason else "the cloud was busy"
    return Wait(Cause.BUSY, (reason, shown(until)), until)


def _of_waiting(rollout: Rollout, now: datetime) -> Iterator[Wait]:
    queue = rollout.queue
    yield from _of_scopes(rollout, now)
    block, later, opens = queue.first_block(), queue.next_back(), queue.next_opening()
    if block is not None:
        yield block_wait(rollout, block)
    if later is not None:
        yield busy_wait(rollout, later[1], later[0])
    if opens is not None:
        yield own_closed_wait(rollout, *opens, now)


def _of_scopes(rollout: Rollout, now: datetime) -> Iterator[Wait]:
    for scope in rollout.run.scopes.values():
        if not rollout.queue.waits_in(scope.name):
            continue
        if not rollout.available(scope.name):
            yield scope_wait(scope, now, reached=False) or rate_wait(rollout, scope.name)
        elif (tight := crowded(rollout, scope.name)) is not None:
            yield rate_wait(rollout, scope.name) if tight.cause is Cause.RATE else Wait(tight.cause, (tight.why,))
