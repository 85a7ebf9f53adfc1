"""Shares the targets of a plan out to its waves, and works out the integers behind its percentages.

The assignment is as if every target were sent, save those that are already known to be left out. Within a wave the
order is that of `draw_order`. Every target is in exactly one wave, or the plan is refused.
"""

from array import array
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct

from orchestrator.errors import PlanError
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.order import draw_order
from orchestrator.model.plan.plan import Plan, Scope, Wave
from orchestrator.model.plan.selection import MissingFact, matches
from orchestrator.model.plan.target import Target
from orchestrator.planner.reading.locate import with_place
from orchestrator.spoken import counted, nearest

_NAMED_STRAYS = 5


class WaveShare(Struct, frozen=True, kw_only=True):
    """One wave with its targets.

    Attributes:
        targets: indexes into the plan's targets, in the order in which they start.
        sends: how many of them are really sent, as far as is known.
        size: the number behind the wave's `size`; None when it takes all that are left.
        max_failures: the wave's own budgets as numbers; None when it has none.
        in_flight: how many may be in flight at once here: the cap, or what strict budgets leave of it.
    """

    name: str
    targets: Sequence[int]
    sends: int
    size: int | None
    soak_s: float
    approve: bool
    max_failures: int | None
    max_rejected: int | None
    in_flight: int


class ScopeShare(Struct, frozen=True, kw_only=True):
    """How many targets a scope has, its own budgets as numbers, None when it has none, and the hosts that may serve it.

    No hosts: all may.
    """

    name: str
    targets: int
    max_failures: int | None
    max_rejected: int | None
    hosts: tuple[str, ...] = ()


class Staging(Struct, frozen=True, kw_only=True):
    """All waves, and the integers behind the fleet's percentages.

    Attributes:
        in_flight: the cap of the fleet; each wave says what is left of it there.
        warnings: what a person should know, and need not change.
    """

    waves: tuple[WaveShare, ...]
    scopes: tuple[ScopeShare, ...]
    in_flight: int
    max_failures: int
    max_rejected: int
    warnings: tuple[str, ...] = ()


def assign_waves(
    plan: Plan,
    targets: Sequence[Target],
    left_out: Collection[str] = frozenset(),
    order: Sequence[int] | None = None,
) -> Staging:
    """Put every target into its wave.

    Args:
        plan: whose waves, limits and budgets hold.
        targets: all of the plan, in plan order.
        left_out: proxy ids known to be `already` or `skipped`: they fill no wave's size and no budget's base.
        order: see `draw_order`, where it is known already.

    Raises:
        PlanError: targets that fit no wave, or a `select` on a fact that is not known.
    """
    draw = _Draw(plan, targets, left_out, order)
    drawn = [draw.wave(wave) for wave in plan.waves]
    draw.refuse_strays()
    sending = len(targets) - len(left_out)
    scopes = tuple(_scope_share(scope, draw.scope_sends) for scope in plan.scopes)
    cap = _in_flight(plan, len(targets), sending, scopes)
    return Staging(
        waves=tuple(_wave_share(plan, wave, share, sends, len(targets), cap) for wave, share, sends in drawn),
        scopes=scopes,
        in_flight=plan.limits.in_flight.cap(len(targets)),
        max_failures=plan.failures.max.budget(sending),
        max_rejected=plan.failures.max_rejected.budget(sending),
        warnings=(*_warnings(drawn, len(targets)), *_idle_limits(plan, targets)),
    )


def wave_targets(staging: Staging) -> Mapping[str, int]:
    """How many targets each wave was planned with."""
    return {share.name: len(share.targets) for share in staging.waves}


def scope_targets(staging: Staging) -> Mapping[str, int]:
    """How many targets each scope has."""
    return {share.name: share.targets for share in staging.scopes}


class _Draw:
    """Draws targets wave by wave from one fixed order."""

    def __init__(
        self, plan: Plan, targets: Sequence[Target], left_out: Collection[str], order: Sequence[int] | None
    ) -> None:
        places = draw_order(plan.name, (target.proxy_id for target in targets)) if order is None else order
        self._plan = plan
        #: Indexes that no wave has taken yet, in order.
        self._rest = array("L", places)
        self._targets = targets
        self._left_out = left_out
        self.scope_sends = Counter(target.scope for target in targets if target.proxy_id not in left_out)

    def wave(self, wave: Wave) -> tuple[Wave, Sequence[int], int]:
        """The wave, the indexes that it takes, and how many of them are sent."""
        size = wave.size.cap(len(self._targets)) if wave.size else len(self._targets)
        if wave.select is None and not self._left_out:
            share, self._rest = self._rest[:size], self._rest[size:]
            return wave, share, len(share)
        return wave, *self._pick(wave, size)

    def _pick(self, wave: Wave, size: int) -> tuple[Sequence[int], int]:
        share, passed, sends = array("L"), array("L"), 0
        for position, index in enumerate(self._rest):
            if sends >= size:
                self._rest = passed + self._rest[position:]
                return share, sends
            target = self._targets[index]
            if self._fits(wave, target):
                share.append(index)
                sends += target.proxy_id not in self._left_out
            else:
                passed.append(index)
        self._rest = passed
        return share, sends

    def _fits(self, wave: Wave, target: Target) -> bool:
        try:
            return wave.select is None or matches(wave.select, target)
        except MissingFact as missing:
            at = (((None, "waves"), self._plan.waves.index(wave)), "select"), missing.fact
            raise PlanError(with_place(self._plan.path, at, str(missing))) from None

    def refuse_strays(self) -> None:
        """Refuse targets that no wave took."""
        count = len(self._rest)
        if not count:
            return
        strays = sorted(self._rest)[:_NAMED_STRAYS]
        named = ", ".join(self._targets[index].proxy_id for index in strays)
        more = f" and {count - len(strays):,} more" if count > len(strays) else ""
        fit = counted(count, "target fits", "targets fit")
        fit = counted(count, "target fits", "targets fit")
        raise PlanError(
            with_place(self._plan.path, (None, "waves"), f"{fit} no wave: {named}{more}"),
            hint="add a last wave without size and select, such as {name: rest}, or exclude them",
        )


def _wave_share(plan: Plan, wave: Wave, share: Sequence[int], sends: int, total: int, cap: int) -> WaveShare:
    budget = _number(wave.max_failures, sends)
    strict = plan.failures.mode == "strict" and budget is not None
    return WaveShare(
        name=wave.name,
        targets=share,
        sends=sends,
        size=wave.size.cap(total) if wave.size else None,
        soak_s=wave.soak_s,
        approve=wave.approve,
        max_failures=budget,
        max_rejected=_number(wave.max_rejected, sends),
        in_flight=min(cap, budget + 1) if strict and budget is not None else cap,
    )


def _scope_share(scope: Scope, sends: Counter[str]) -> ScopeShare:
    count = sends[scope.name]
    return ScopeShare(
        name=scope.name,
        targets=count,
        max_failures=_number(scope.max_failures, count),
        max_rejected=_number(scope.max_rejected, count),
        hosts=scope.hosts,
    )


def _in_flight(plan: Plan, total: int, sending: int, scopes: tuple[ScopeShare, ...]) -> int:
    """How many of the fleet may be in flight: strict mode keeps failures and flights together at budget + 1."""
    if plan.follow.to == "accepted":
        return plan.limits.concurrency
    cap = plan.limits.in_flight.cap(total)
    if plan.failures.mode == "soft":
        return cap
    of_scopes = sum(cap if scope.max_failures is None else scope.max_failures + 1 for scope in scopes)
    return min(cap, plan.failures.max.budget(sending) + 1, of_scopes)


def _number(amount: Amount | None, total: int) -> int | None:
    return None if amount is None else amount.budget(total)


def _warnings(drawn: list[tuple[Wave, Sequence[int], int]], total: int) -> list[str]:
    found: list[str] = []
    if not any(sends for _, _, sends in drawn):
        return found  # that nothing is sent at all is no matter of sizes
    for wave, _, sends in drawn:
        size = wave.size.cap(total) if wave.size else 0
        if sends < size:
            of_all = f" ({wave.size} of {total:,})" if wave.size and wave.size.percent else ""
            found.append(f"wave {wave.name}: {counted(sends, 'target')} where its size asks for {size:,}{of_all}")
    return found


def _idle_limits(plan: Plan, targets: Sequence[Target]) -> Iterator[str]:
    """Limits by a label that no target has: they limit nothing, and may be misspelt."""
    missing = set(plan.limits.per_label)
    if not missing or not targets:
        return
    known: set[str] = set()
    for target in targets:
        known.update(target.labels)
    for name in sorted(missing - known):
        near = nearest(name, sorted(known))
        hint = f"; did you mean {near}?" if near else ", so it limits nothing"
        yield f"limits.per_label.{name}: no target has this label{hint}"
