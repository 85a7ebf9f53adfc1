"""How many may be in flight, and which budget is spent. Pure, and O(log n) but for the plan's own lists."""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal, NamedTuple

from msgspec import structs

from orchestrator.executor.decide.actions import Hold
from orchestrator.executor.decide.bench import INSTANCE, LABEL, Block
from orchestrator.executor.decide.opening.per_window import starts_left
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.executor.decide.waits import Cause
from orchestrator.model.plan.plan import Wave
from orchestrator.model.plan.target import Target
from orchestrator.model.record.record import HoldCause
from orchestrator.model.run.tally import EMPTY, Count
from orchestrator.spoken import counted

#: Preflights are begun ahead of attempts so that neither the rate nor the concurrency is left unused, but not so far
#: ahead that what they read grows old.
_AHEAD = 3
_AHEAD_S = 10.0


class Budget(NamedTuple):
    """How much harm one group may take.

    Attributes:
        kind: what is counted.
        whose: `fleet`, `wave NAME` or `scope NAME`.
        limit: how many are allowed; one more holds the fleet.
        group: what was counted in it.
    """

    kind: Literal["failures", "rejected"]
    whose: str
    limit: int
    group: Count
    wave: str | None = None
    scope: str | None = None

    @property
    def spent(self) -> int:
        """How many were counted since the last release."""
        return self.group.failed if self.kind == "failures" else self.group.rejected

    @property
    def at_risk(self) -> int:
        """What was counted, and what may still come of what is under way: each target once."""
        return self.group.at_risk if self.kind == "failures" else self.group.rejected + self.group.unanswered

    @property
    def cause(self) -> HoldCause:
        """The hold that it sets."""
        return self.kind

    def __str__(self) -> str:
        kind = self.kind.removesuffix("s") if self.spent == 1 else self.kind
        return f"{self.spent} {kind}, {self.limit} allowed for the {self.whose}"


def budgets(rollout: Rollout) -> Iterator[Budget]:
    """Every budget that binds now: the fleet's, those of the present wave, those that scopes set for themselves."""
    failures, tally = rollout.plan.failures, rollout.run.tally
    base = rollout.run.counted
    yield Budget("failures", "fleet", failures.max.budget(base), tally.fleet)
    yield Budget("rejected", "fleet", failures.max_rejected.budget(base), tally.fleet)
    if rollout.wave is not None:
        yield from _wave_budgets(rollout, rollout.wave)
    yield from _scope_budgets(rollout)


def _wave_budgets(rollout: Rollout, wave: Wave) -> Iterator[Budget]:
    if wave.max_failures is None and wave.max_rejected is None:
        return
    count = rollout.run.tally.waves.get(wave.name, EMPTY)
    base = rollout.queue.sends(wave.name)
    if wave.max_failures is not None:
        yield Budget("failures", f"wave {wave.name}", wave.max_failures.budget(base), count, wave=wave.name)
    if wave.max_rejected is not None:
        yield Budget("rejected", f"wave {wave.name}", wave.max_rejected.budget(base), count, wave=wave.name)


def _scope_budgets(rollout: Rollout) -> Iterator[Budget]:
    for scope in rollout.plan.scopes:
        if scope.max_failures is None and scope.max_rejected is None:
            continue
        count = rollout.run.tally.scopes.get(scope.name, EMPTY)
        base = max(0, rollout.scope_targets.get(scope.name, 0) - count.left_out)
        if scope.max_failures is not None:
            yield Budget("failures", f"scope {scope.name}", scope.max_failures.budget(base), count, scope=scope.name)
        if scope.max_rejected is not None:
            yield Budget("rejected", f"scope {scope.name}", scope.max_rejected.budget(base), count, scope=scope.name)


def due_hold(rollout: Rollout) -> Hold | None:
    """The hold that the fleet must set itself now, with all its causes: budgets are overdrawn, something is new."""
    first, *others = *_overdrawn(rollout), *_never_seen(rollout), None
    return None if first is None else structs.replace(first, others=tuple(filter(None, others)))


def _overdrawn(rollout: Rollout) -> Iterator[Hold]:
    """The hold of each budget; of several of one kind only the fleet's, which counts all that the others do."""
    fleet = rollout.run.tally.fleet
    if not fleet.failed and not fleet.rejected:  # what the fleet does not count, no wave and no scope does
        return
    whole, since = set[str](), " since the last release" if rollout.run.tally.epoch else ""
    for budget in budgets(rollout):
        if budget.spent > budget.limit and budget.kind not in whole:
            yield Hold(budget.cause, f"{budget}{since}", wave=budget.wave, scope=budget.scope)
            whole.update([budget.kind] if budget.wave is None and budget.scope is None else [])


def _never_seen(rollout: Rollout) -> Iterator[Hold]:
    if rollout.plan.failures.new_reject == "hold" and rollout.run.new_rejects:
        first, *others = rollout.run.new_rejects.values()
        more = f" (and {counted(len(others), 'other')})" if others else ""
        yield Hold("new_reject", f"a REJECT reason never seen before: {first}{more}")


class Room(NamedTuple):
    """How many more targets may be taken up now, and what says so."""

    free: int
    why: str
    cause: Cause = Cause.LIMIT


def room(rollout: Rollout, now: datetime) -> Room:
    """The tightest of all limits that hold for the fleet as a whole."""
    left, at_once = starts_left(rollout, now), slots(rollout)
    if left is None:
        return at_once
    of_window = Room(left - len(rollout.queue.starting), f"per_window {rollout.plan.limits.per_window}")
    return min(at_once, of_window, key=lambda room: room.free)


def slots(rollout: Rollout) -> Room:
    """The tightest of those that say how many may be under way at once, whatever has started before."""
    return min(_rooms(rollout), key=lambda room: room.free)


def _rooms(rollout: Rollout) -> Iterator[Room]:
    starting = len(rollout.queue.starting)
    ahead = _AHEAD * rollout.plan.limits.concurrency
    yield Room(ahead - starting, f"concurrency {rollout.plan.limits.concurrency}")
    if rollout.only_accepted:
        return
    fleet, cap = rollout.run.tally.fleet, in_flight_cap(rollout)
    yield Room(cap - fleet.open - starting, f"in_flight {cap}")
    allowance = ramp_allowance(rollout)
    if allowance is not None and allowance < cap:
        # One that is stuck is no success, so nothing grows by it; whether the fleet goes on beside it, the budgets say.
        yield Room(allowance - fleet.under_way - starting, f"ramp at {allowance}", Cause.RAMP)
    if rollout.plan.failures.mode == "strict":
        yield from _strict_rooms(rollout, starting)


def _strict_rooms(rollout: Rollout, starting: int) -> Iterator[Room]:
    for budget in budgets(rollout):
        if budget.scope is None:
            free = budget.limit + 1 - budget.at_risk - starting
            yield Room(free, _strict(budget), Cause.BUDGET)


def _strict(budget: Budget) -> str:
    return f"strict, {budget.kind} budget {budget.limit} of the {budget.whose}"


def in_flight_cap(rollout: Rollout) -> int:
    """`limits.in_flight` as a number."""
    return rollout.plan.limits.in_flight.cap(rollout.run.total)


def wider_in_flight(rollout: Rollout) -> int | None:
    """The `in_flight` with as many free slots as stuck targets hold; None where it is not what alone is full."""
    cap = in_flight_cap(rollout)
    full = [room.why for room in _rooms(rollout) if room.free <= 0]
    return cap + rollout.run.tally.fleet.stuck if full == [f"in_flight {cap}"] else None


def ramp_allowance(rollout: Rollout) -> int | None:
    """How many may be under way while confidence grows: 1, 2, 4, 8 … with every doubling of successes.

    None where it does not apply: without `ramp`, and in the first of several waves, which is the canary.
    """
    waves, run = rollout.plan.waves, rollout.run
    if not rollout.plan.limits.ramp:
        return None
    successes = run.tally.fleet.standing["succeeded"]
    if len(waves) > 1:
        if rollout.wave is None or rollout.wave.name == waves[0].name:
            return None
        successes -= run.tally.waves.get(waves[0].name, EMPTY).standing["succeeded"]
    return 1 << ((successes + 1).bit_length() - 1)


def target_block(rollout: Rollout, target: Target) -> Block | None:
    """Which limit keeps this one target from starting: its instance's or a label's."""
    run, queue, limits = rollout.run, rollout.queue, rollout.plan.limits
    instance = target.instance_id
    # Followed only to acceptance, what runs on the instance is counted in the preflight, so that comes one by one.
    most = 1 if rollout.only_accepted else limits.per_instance
    if run.tally.open_instances[instance] + queue.starting_instances[instance] >= most:
        return (INSTANCE, instance)
    for name, cap in limits.per_label.items():
        label = (name, target.labels.get(name, ""))
        if name in target.labels and run.tally.open_labels[label] + queue.starting_labels[label] >= cap:
            return (f"{LABEL}{name}", label[1])
    return None


def scope_room(rollout: Rollout, scope: str) -> bool:
    """Whether one more target of this scope may be taken up."""
    return crowded(rollout, scope) is None


def crowded(rollout: Rollout, scope: str) -> Room | None:
    """What keeps further targets of this scope from being taken up: its rate, or its own budgets; None when nothing."""
    starting = rollout.queue.starting_scopes[scope]
    most = max(1, rollout.scope_rates[scope] * _AHEAD_S)
    if starting >= most:
        return Room(0, f"the rate of scope {scope}", Cause.RATE)
    if rollout.plan.failures.mode != "strict" or rollout.only_accepted:
        return None
    own = (budget for budget in _scope_budgets(rollout) if budget.scope == scope)
    spent = next((budget for budget in own if budget.at_risk + starting > budget.limit), None)
    return None if spent is None else Room(0, _strict(spent), Cause.BUDGET)
