"""Counts that a decision needs, kept up to date one change at a time, so that no decision ever scans the fleet."""

from collections import Counter
from dataclasses import dataclass, field

from orchestrator.model.outcome import REPLACED, Outcome, Phase
from orchestrator.model.plan import Failures
from orchestrator.model.state import TargetState


@dataclass(slots=True)
class Count:
    """Counts of one group: the fleet, a wave, or a scope.

    Attributes:
        standing: how many targets stand where, by outcome or phase; waiting ones, with or without a record, are not
            in it.
        open: targets that hold a slot.
        failed: targets counted as failures since the last release, settled or not.
        exposed: targets that are open and may still come to count as failures, or count as one no more.
        recounted: of these, the ones that counted as failures before they moved on.
        rejected: targets rejected since the last release.
        unanswered: targets whose attempt is under way.
    """

    standing: Counter[str] = field(default_factory=Counter)
    open: int = 0
    failed: int = 0
    exposed: int = 0
    recounted: int = 0
    rejected: int = 0
    unanswered: int = 0

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

    def forgive(self) -> None:
        """A release accepts what has been counted."""
        self.exposed -= self.recounted
        self.failed = self.recounted = self.rejected = 0


@dataclass(slots=True)
class Tally:
    """All counts of a run: over the fleet, by wave, by scope; and what is open by instance and by label."""

    fleet: Count = field(default_factory=Count)
    waves: dict[str, Count] = field(default_factory=dict)
    scopes: dict[str, Count] = field(default_factory=dict)
    open_instances: Counter[str] = field(default_factory=Counter)
    open_labels: Counter[tuple[str, str]] = field(default_factory=Counter)
    epoch: int = 0

    def add(self, state: TargetState, failures: Failures) -> None:
        """Count a target as it stands now."""
        if state.phase is Phase.WAITING:
            state.counted_in = -1  # whatever it was counted for is over; what a new attempt brings counts anew
        if state.counted_in < 0 and (is_failure(state, failures) or state.outcome is Outcome.REJECTED):
            state.counted_in = self.epoch
        self._shift(state, failures, 1)

    def remove(self, state: TargetState, failures: Failures) -> None:
        """Take a target out again, before it changes."""
        self._shift(state, failures, -1)

    def groups(self, state: TargetState) -> list[Count]:
        """The counts that a target belongs to: fleet, scope, and wave if it has one."""
        counts = [self.fleet, self.scopes.setdefault(state.target.scope, Count())]
        if state.wave is not None:
            counts.append(self.waves.setdefault(state.wave, Count()))
        return counts

    def forgive(self) -> None:
        """A release: budgets count only what comes after it."""
        self.epoch += 1
        for count in (self.fleet, *self.waves.values(), *self.scopes.values()):
            count.forgive()

    def _shift(self, state: TargetState, failures: Failures, by: int) -> None:
        failed = self._counts(state) and is_failure(state, failures)
        rejected = self._counts(state) and state.outcome is Outcome.REJECTED
        exposed = self._counts(state) and state.is_open and not failed
        for count in self.groups(state):
            if state.phase is not Phase.WAITING:
                count.standing[state.standing] += by
            count.open += by * state.is_open
            count.failed += by * failed
            count.exposed += by * exposed
            count.recounted += by * (exposed and state.counted_in >= 0)
            count.rejected += by * rejected
            count.unanswered += by * (state.phase is Phase.IN_FLIGHT and state.accepted_at is None)
        if state.is_open:
            self._shift_open(state, by)

    def _shift_open(self, state: TargetState, by: int) -> None:
        _bump(self.open_instances, state.target.instance_id, by)
        for label in state.target.labels.items():
            _bump(self.open_labels, label, by)

    def _counts(self, state: TargetState) -> bool:
        return state.counted_in in (-1, self.epoch)


def is_failure(state: TargetState, failures: Failures) -> bool:
    """Whether a target, as it stands, is harm by the plan's `failures.counts`."""
    if state.phase in (Phase.IN_DOUBT, Phase.TIMED_OUT):
        return state.phase.value in failures.counts
    return state.outcome is not None and state.outcome.value in failures.counts


def _bump(counter: Counter[str] | Counter[tuple[str, str]], key: str | tuple[str, str], by: int) -> None:
    counter[key] += by  # type: ignore[index]  # both counters take their own keys
    if not counter[key]:  # type: ignore[index]
        del counter[key]
