"""Counts that a decision needs, kept up to date one change at a time, so that no decision ever scans the fleet."""

from collections import Counter
from collections.abc import Hashable
from typing import NamedTuple, TypeVar

import msgspec

from orchestrator.model.plan.plan import Failures
from orchestrator.model.plan.target import Target
from orchestrator.model.record.outcome import GOOD, REPLACED, STUCK, Outcome, Phase
from orchestrator.model.run.state import TargetState

_Key = TypeVar("_Key", bound=Hashable)


class Mark(NamedTuple):
    """How one target counts at one instant: where it stands (None while it waits), and 0 or 1 for each number.

    A record that leaves the mark as it was, and most do, costs the counts nothing.
    """

    wave: str | None = None
    standing: str | None = None
    open: int = 0
    stuck: int = 0
    failed: int = 0
    exposed: int = 0
    recounted: int = 0
    rejected: int = 0
    unanswered: int = 0
    repeated: int = 0


#: Of a target that was never counted.
NOTHING = Mark()


class Count(msgspec.Struct):
    """Counts of one group: the fleet, a wave, or a scope.

    Attributes:
        standing: how many targets stand where, by outcome or phase; waiting ones, with or without a record, are not
            in it.
        open: targets that hold a slot.
        stuck: of these, the ones that are timed out or in doubt.
        failed: targets counted as failures since the last release, settled or not.
        exposed: targets that are open and may still come to count as failures, or count as one no more.
        recounted: of these, the ones that counted as failures before they moved on.
        rejected: targets rejected since the last release.
        unanswered: targets whose attempt is under way.
        repeated: targets that were sent once more and ended as before; they count in no budget.
    """

    standing: Counter[str] = msgspec.field(default_factory=Counter)
    open: int = 0
    stuck: int = 0
    failed: int = 0
    exposed: int = 0
    recounted: int = 0
    rejected: int = 0
    unanswered: int = 0
    repeated: int = 0

    @property
    def under_way(self) -> int:
        """Open targets that will come to their end, or be stuck: what a wave waits for."""
        return self.open - self.stuck

    @property
    def at_risk(self) -> int:
        """Failures and targets in flight, a target once: what strict mode bounds.

        A failure that a release has accepted is in neither, even while it is open: it can do no further harm.
        """
        return self.failed + self.exposed

    @property
    def left_out(self) -> int:
        """Targets known to be `already` or `skipped`: no part of what a percentage is taken of."""
        return sum(self.standing[outcome] for outcome in REPLACED)

    def move(self, before: Mark, after: Mark) -> None:
        """A target of this group counts otherwise than before."""
        if before.standing != after.standing:
            if before.standing is not None:
                self.standing[before.standing] -= 1
            if after.standing is not None:
                self.standing[after.standing] += 1
        self.open += after.open - before.open
        self.stuck += after.stuck - before.stuck
        self.failed += after.failed - before.failed
        self.exposed += after.exposed - before.exposed
        self.recounted += after.recounted - before.recounted
        self.rejected += after.rejected - before.rejected
        self.unanswered += after.unanswered - before.unanswered
        self.repeated += after.repeated - before.repeated

    def forgive(self) -> None:
        """A release accepts what has been counted."""
        self.exposed -= self.recounted
        self.failed = self.recounted = self.rejected = 0


#: Of a wave or scope in which nothing was counted yet: only to be read.
EMPTY = Count()


class Tally(msgspec.Struct):
    """All counts of a run: over the fleet, by wave, by scope; and what is open by instance and by label."""

    fleet: Count = msgspec.field(default_factory=Count)
    waves: dict[str, Count] = {}
    scopes: dict[str, Count] = {}
    open_instances: Counter[str] = msgspec.field(default_factory=Counter)
    open_labels: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)
    open_subnets: dict[str, set[str]] = {}
    epoch: int = 0

    def mark(self, state: TargetState, failures: Failures) -> Mark:
        """How a target counts as it stands now: to be taken before it changes, and again afterwards for `move`."""
        if state.phase is Phase.WAITING:
            state.counted_in = -1  # what it was counted for is over; what a new attempt brings counts again
            return Mark(state.wave)
        repeats = state.repeats
        harm = is_failure(state, failures) and not repeats
        rejected = state.outcome is Outcome.REJECTED and not repeats
        if harm or rejected:
            state.counted_in = self.epoch if state.counted_in < 0 else state.counted_in
        elif state.outcome in GOOD:
            state.counted_in = -1  # it turned out well: harm that is found afterwards counts again
        counts, is_open = state.counted_in in (-1, self.epoch), state.is_open
        exposed = counts and is_open and not harm
        return Mark(
            state.wave,
            state.standing,
            is_open,
            state.phase in STUCK,
            counts and harm,
            exposed,
            exposed and state.counted_in >= 0,
            counts and rejected,
            state.phase is Phase.IN_FLIGHT and state.accepted_at is None,
            repeats,
        )

    def move(self, state: TargetState, before: Mark, after: Mark) -> None:
        """Count a target otherwise than before."""
        if before == after:
            return
        target = state.target
        self.fleet.move(before, after)
        _count(self.scopes, target.scope).move(before, after)
        if after.wave is not None:  # the first wave stays, and before it a target counts nowhere
            _count(self.waves, after.wave).move(before, after)
        if before.open != after.open:
            self._move_open(target, after.open - before.open)

    def forgive(self) -> None:
        """A release: budgets count only what comes after it."""
        self.epoch += 1
        for count in (self.fleet, *self.waves.values(), *self.scopes.values()):
            count.forgive()

    def _move_open(self, target: Target, by: int) -> None:
        bump(self.open_instances, target.instance_id, by)
        for label in target.labels.items():
            bump(self.open_labels, label, by)
        subnet = target.facts.subnet if target.facts is not None else None
        if subnet is not None:
            those = self.open_subnets.setdefault(subnet, set())
            (those.add if by > 0 else those.discard)(target.proxy_id)


def is_failure(state: TargetState, failures: Failures) -> bool:
    """Whether a target, as it stands, is harm by the plan's `failures.counts`."""
    if state.phase in STUCK:
        return state.phase.value in failures.counts
    return state.outcome is not None and state.outcome.value in failures.counts


def _count(counts: dict[str, Count], name: str) -> Count:
    count = counts.get(name)
    if count is None:
        count = counts[name] = Count()
    return count


def bump(counter: Counter[_Key], key: _Key, by: int) -> None:
    """Count so many more of a key; one of which there are none takes no room."""
    counter[key] += by
    if not counter[key]:
        del counter[key]
