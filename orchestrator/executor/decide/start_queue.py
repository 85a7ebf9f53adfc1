"""Which target is next. Waves draw targets in one fixed order; what cannot start now is set aside under its reason.

A target goes behind all that were turned away less often, also of those yet to be drawn. Every operation costs
O(log n), amortised. Drawing is lazy, and depends on nothing but the order: the next session draws the same waves.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from heapq import heappop, heappush

from orchestrator.executor.decide.bench import (
    EVENTS,
    INSTANCE,
    LABEL,
    SUBNET,
    VOID,
    Bench,
    Block,
    Cursor,
    Drawn,
    Later,
    WaveDraw,
)
from orchestrator.model.plan.target import Target
from orchestrator.model.record.capacity import subnet_of
from orchestrator.model.run.tally import bump

#: Addresses that come free may be enough for several, and need not be enough for the first.
_CALLED_FOR_ADDRESSES = 4


class StartQueue:
    """The targets that have not started, as the present wave sees them.

    Args:
        order: all targets, in the order in which waves draw them.
        shares: the waves.
    """

    def __init__(self, order: Sequence[Target], shares: Sequence[WaveDraw]) -> None:
        self._order = order
        self._shares = {share.name: share for share in shares}
        self._cursors = {share.name: Cursor() for share in shares}
        self._rank = {target.proxy_id: rank for rank, target in enumerate(order)}
        self._drawn = Drawn(len(order), self._shares)
        self._undrawn = Counter([target.scope for target in order])
        self._bench = Bench()
        self.starting: dict[str, str] = {}
        self.starting_instances: Counter[str] = Counter()
        self.starting_labels: Counter[tuple[str, str]] = Counter()
        self.starting_scopes: Counter[str] = Counter()
        self.starting_subnets: dict[str, set[str]] = {}

    def restore(self, proxy_id: str, wave: str | None, *, member: bool, waiting: bool, turned_away: int = 0) -> None:
        """Put a target that an earlier session drew back where it was."""
        rank = self._rank[proxy_id]
        self._bench.turned_away[rank] = turned_away
        self._mark(rank)
        if wave is not None:
            self._cursors[wave].members += member
        if waiting:
            self._bench.waiting += 1
            self._admit(rank, None)

    # --- what the loop reports ---------------------------------------------------------------------------------------

    def begin(self, target: Target, wave: str) -> None:
        """The target is taken up; until its intent is written, or it comes back, it holds a reservation."""
        self._bench.waiting -= 1
        rank = self._rank[target.proxy_id]
        self._bench.called.pop(rank, None)
        self.starting[target.proxy_id] = wave
        self._reserve(target, 1)

    def sent(self, target: Target) -> None:
        """The intent is written: what held a reservation now holds a slot."""
        if self.starting.pop(target.proxy_id, None) is not None:
            self._reserve(target, -1)

    def left(self, target: Target) -> None:
        """The target waited, and is known now to have begun: its place in line is void, wherever that is."""
        self._bench.waiting -= 1
        self._bench.void.add(self._rank[target.proxy_id])

    def settled(self, target: Target) -> None:
        """The target has its outcome: if it held a reservation, others may have that."""
        if target.proxy_id in self.starting:
            self.sent(target)
            self.freed(target)

    def back(self, target: Target, not_before: datetime | None = None, *, turned_away: int | None = None) -> None:
        """The target waits again. `turned_away`: how often by now; None leaves that as it is."""
        self.settled(target)
        rank = self._rank[target.proxy_id]
        if turned_away is not None:
            self._bench.turned_away[rank] = turned_away
        self._bench.waiting += 1
        if rank in self._bench.void:  # it has its old place again
            self._bench.void.remove(rank)
        else:
            self._admit(rank, not_before)

    def sit_out(self, target: Target) -> None:
        """The target, which held a reservation, waits for the next session; its wave does not end without it."""
        self.settled(target)
        self._bench.waiting += 1

    def left_out(self, target: Target, wave: str) -> None:
        """The target needs no upgrade: the wave may draw another in its place."""
        self.settled(target)
        self._cursors[wave].members -= 1

    def came_back(self, wave: str) -> None:
        """A target that was left out is known now to have begun."""
        self._cursors[wave].members += 1

    def freed(self, target: Target) -> None:
        """A slot on its instance and of its labels is free."""
        self._bench.call_next((INSTANCE, target.instance_id))
        for name, value in target.labels.items():
            self._bench.call_next((f"{LABEL}{name}", value))
        for _ in range(_CALLED_FOR_ADDRESSES):
            self._bench.call_next((SUBNET, subnet_of(target) or ""))

    def opened(self, block: Block) -> None:
        """A gate has opened, or a subnet was read: all that waited for it are looked at again."""
        self._bench.open(block)

    # --- what the decision asks --------------------------------------------------------------------------------------

    def peek(
        self,
        wave: str,
        now: datetime,
        *,
        scopes: Iterable[str],
        blocked: Callable[[Target], Block | Later | datetime | None],
    ) -> Target | None:
        """The next target of the wave that may start, without taking it up.

        Args:
            wave: the wave that is open.
            now: targets that wait for a later instant are passed over.
            scopes: names of the scopes that may be used, the one to prefer first.
            blocked: why a target may not start now: the limit that must be `freed` first, the instant at which it is
                to come back, or the one at which its window opens.
        """
        self._ripen(now)
        for scope in scopes:
            self._draw_for(wave, scope)
            ready = self._bench.ready[scope]
            while ready:
                target = self._order[ready[0][1]]
                block = VOID if ready[0][1] in self._bench.void else blocked(target)
                if block is None:
                    return target
                self._set_aside(heappop(ready)[1], block)
                if block == (EVENTS, scope):  # it keeps each of the scope back: of a million, one is looked at
                    break
                self._draw_for(wave, scope)
        return None

    def take(self, target: Target) -> None:
        """Remove what `peek` returned."""
        heappop(self._bench.ready[target.scope])

    def reopen(self) -> None:
        """The calendar has changed: whose window was closed is looked at again."""
        while self._bench.closed:
            self._admit(heappop(self._bench.closed)[1], None)

    def exhausted(self, wave: str) -> bool:
        """Whether the wave has nothing left that waits or could be drawn."""
        return self._bench.waiting == 0 and not self._draw(wave)

    def all_blocked(self, wave: str) -> bool:
        """Whether the wave draws no more, and each that waits does so for a limit of its instance or labels."""
        bench = self._bench
        return not (bench.gated or bench.later or bench.closed or any(bench.ready.values()) or self._draw(wave))

    @property
    def held_up(self) -> list[str]:
        """The proxies that wait for slots which others hold."""
        return [self._order[rank].proxy_id for rank in self._bench.held_up()]

    def drawn_by(self, target: Target) -> str | None:
        """The wave that drew a target in this session, also when it was taken up and came back without a record."""
        return self._drawn.wave(self._rank[target.proxy_id])

    def draw_all(self, wave: str) -> None:
        """Draw what a wave drew that is done: one that waited for the slot of a stuck neighbour has no record."""
        while self._draw(wave):
            pass

    def sends(self, wave: str) -> int:
        """How many targets the present wave sends, as far as is known. Scans the fleet once for each wave."""
        share, cursor = self._shares[wave], self._cursors[wave]
        if cursor.more is None:
            cursor.more = sum(share.admits(each) for rank, each in enumerate(self._order) if rank not in self._drawn)
        count = cursor.members + cursor.more
        return count if share.size is None else min(count, share.size)

    def next_back(self) -> tuple[datetime, Target] | None:
        """The first of those that were told to come back later, with its instant."""
        return (self._bench.later[0][0], self._order[self._bench.later[0][1]]) if self._bench.later else None

    def first_block(self) -> Block | None:
        """A limit that keeps targets from starting, each of them by itself."""
        return next(iter(self._bench.blocked), None)

    def first_of(self, kind: str) -> list[tuple[str, Target]]:
        """Each thing of a kind that targets wait for, with the first of them."""
        lines = [(value, lines) for (of, value), lines in self._bench.blocked.items() if of == kind]
        return [(value, self._order[min(line[0] for line in scopes.values())[1]]) for value, scopes in lines if scopes]

    def waits_for(self, block: Block) -> bool:
        """Whether targets wait for this one thing."""
        return block in self._bench.blocked

    def next_opening(self) -> tuple[datetime, Target] | None:
        """The first of those whose own window is closed, or whose instance the cloud will touch, and until when."""
        return (self._bench.closed[0][0], self._order[self._bench.closed[0][1]]) if self._bench.closed else None

    def takes(self, wave: str, target: Target) -> bool:
        """Whether the wave has drawn the target, or may still do so."""
        share = self._shares[wave]
        room = share.size is None or self._cursors[wave].members < share.size
        return self._rank[target.proxy_id] in self._drawn or (room and share.admits(target))

    def waits_in(self, scope: str) -> bool:
        """Whether the scope has targets that could start if it could be used."""
        return bool(self._bench.ready[scope] or self._undrawn[scope])

    @property
    def undrawn(self) -> int:
        """Targets that no wave has drawn yet."""
        return self._undrawn.total()

    # --- inside ------------------------------------------------------------------------------------------------------

    def _draw_for(self, wave: str, scope: str) -> None:
        ready = self._bench.ready[scope]
        while (not ready or ready[0][0]) and self._undrawn[scope] and self._draw(wave):
            pass

    def _draw(self, wave: str) -> bool:
        """Draw one more target into the wave, if it may have one."""
        share, cursor = self._shares[wave], self._cursors[wave]
        if share.size is not None and cursor.members >= share.size:
            return False
        while cursor.at < len(self._order):
            rank = cursor.at
            cursor.at += 1
            if rank not in self._drawn and share.admits(self._order[rank]):
                self._mark(rank, wave)
                cursor.members += 1
                cursor.more = None if cursor.more is None else cursor.more - 1
                self._bench.waiting += 1
                self._admit(rank, None)
                return True
        return False

    def _mark(self, rank: int, wave: str | None = None) -> None:
        if rank not in self._drawn:
            self._drawn.add(rank, wave)
            self._undrawn[self._order[rank].scope] -= 1

    def _admit(self, rank: int, not_before: datetime | None) -> None:
        if not_before is not None:
            heappush(self._bench.later, (not_before, rank))
        else:
            heappush(self._bench.ready[self._order[rank].scope], self._bench.place(rank))

    def _set_aside(self, rank: int, block: Block | Later | datetime) -> None:
        called = self._bench.called.pop(rank, None)
        if block == VOID:
            self._bench.void.remove(rank)
        elif isinstance(block, Later):
            heappush(self._bench.later, (block.instant, rank))
        elif isinstance(block, datetime):
            heappush(self._bench.closed, (block, rank))
        else:
            heappush(self._bench.blocked[block][self._order[rank].scope], self._bench.place(rank))
        if called is not None and called != block:
            self._bench.call_next(called)

    def _ripen(self, now: datetime) -> None:
        for waiting in (self._bench.later, self._bench.closed):
            while waiting and waiting[0][0] <= now:
                self._admit(heappop(waiting)[1], None)

    def _reserve(self, target: Target, by: int) -> None:
        bump(self.starting_instances, target.instance_id, by)
        bump(self.starting_scopes, target.scope, by)
        for label in target.labels.items():
            bump(self.starting_labels, label, by)
        those = self.starting_subnets.setdefault(subnet_of(target) or "", set())
        (those.add if by > 0 else those.discard)(target.proxy_id)
