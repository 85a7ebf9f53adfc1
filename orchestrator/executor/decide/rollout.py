"""Everything that the next decision depends on: the run, its queue, and the facts of this session."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo

import msgspec

from orchestrator.executor.decide.actions import ReadCloud
from orchestrator.executor.decide.bench import Block
from orchestrator.executor.decide.start_queue import StartQueue
from orchestrator.executor.decide.waits import Wait
from orchestrator.model.plan.limit_change import limited
from orchestrator.model.plan.plan import Plan, Wave
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.run.run import Run
from orchestrator.model.run.tally import EMPTY


class GateWatch(msgspec.Struct):
    """How far a gate has been asked in this session.

    Attributes:
        asking: a question is under way.
        outdated: the answer to that question is about a time that is over.
        asked_at: when the latest question began.
        answered_at: when the latest answer came.
        passes: good answers in a row.
    """

    asking: bool = False
    outdated: bool = False
    asked_at: datetime | None = None
    answered_at: datetime | None = None
    passes: int = 0

    def forget(self) -> None:
        """No answer so far counts any more; how many good ones in a row there were is still known."""
        self.outdated, self.asked_at, self.answered_at = self.asking, None, None


class Reading(msgspec.Struct):
    """How far something of the cloud has been read in this session.

    Attributes:
        asking: it is being read.
        asked_at: when the latest reading began.
        read_at: when the latest one began that has ended; what it found is as old as that. None before the first.
        scope: whose calls that takes; None when nobody reads.
        kept: it is read no more, as in a rehearsal, which has what was read before it.
        refused: parts of it that the scope may not ask for, or does not have.
    """

    asking: bool = False
    asked_at: datetime | None = None
    read_at: datetime | None = None
    scope: str | None = None
    kept: bool = False
    refused: frozenset[str] = frozenset()


def _everywhere(_scope: str) -> bool:
    return True


class Rollout(msgspec.Struct, kw_only=True):
    """One session's view of a run.

    Attributes:
        plan: with the limits as a person has changed them.
        wave_targets: how many targets each wave was planned with.
        scope_targets: the same for scopes; percentages of their budgets are taken of this.
        scope_rates: calls per second of each scope.
        ahead: how far the calendar is ahead of the session's clock, see `host_time`.
        zone: of this host: whose days count for `per_window` where there are no windows.
        available: whether a call in this scope may be begun now.
        resting: open targets that nothing but new evidence will move.
        broken: targets whose story broke off in this session; none of them is taken up again in it.
        given: targets that another host has given their turn, and whose story has not begun.
        asked: what another host, which decides, wants to be read.
        asked_again: the wave whose proxies it wants to be read once more; None when it wants nothing.
        missed: scopes of which another host says that nobody serves them.
        rereading: proxies of the wave being verified that other hosts read, and have not yet.
        stop: why this session ends; None while it goes on.
        until: nothing starts from this instant of the calendar on.
        ends_at: nor from this instant of the session's clock on.
        barred: why nothing starts any more, though what is open is followed; None while all may go on.
        defers: what is short of addresses for too long is deferred; False for who only looks.
        wait_s: how far away an opening or the end of a soak may be to be waited for in this process.
        verifying: the wave whose soak has ended and that is read once more.
        verified: waves that were read once more after their soak.
        unverified: waves whose last reading failed: the scope was given up, or a proxy could not be read.
        watches: what this session knows of each gate, by name.
        readings: and of each subnet, and the events of each scope.
    """

    plan: Plan
    run: Run
    queue: StartQueue
    wave_targets: Mapping[str, int]
    scope_targets: Mapping[str, int]
    scope_rates: Mapping[str, float]
    available: Callable[[str], bool] = _everywhere
    ahead: Callable[[], timedelta] = timedelta
    zone: tzinfo = UTC
    resting: set[str] = set()
    broken: set[str] = set()
    given: list[str] = []
    asked: list[ReadCloud] = []
    asked_again: str | None = None
    missed: set[str] = set()
    rereading: set[str] = set()
    stop: str | None = None
    until: datetime | None = None
    ends_at: datetime | None = None
    barred: Wait | None = None
    defers: bool = True
    wait_s: float = 3600.0
    verifying: str | None = None
    verified: set[str] = set()
    unverified: set[str] = set()
    watches: dict[str, GateWatch] = msgspec.field(default_factory=lambda: defaultdict(GateWatch))
    readings: dict[Block, Reading] = msgspec.field(default_factory=lambda: defaultdict(Reading))
    _written: Plan | None = None

    def __post_init__(self) -> None:
        self.relimit()

    def relimit(self) -> None:
        """Let the limits hold that a person has asked for last, or the plan's own."""
        asked, self._written = self.run.limits, self._written or self.plan
        self.plan = self._written if asked is None else limited(self._written, asked.limits)

    @property
    def wave(self) -> Wave | None:
        """The wave that is open or comes next; None when all are done."""
        statuses = self.run.waves
        for wave in self.plan.waves:
            if statuses[wave.name].done_at is None:
                return wave
        return None

    def unsettled_in(self, scope: str) -> int:
        """How many targets of a scope have no outcome."""
        standing = self.run.tally.scopes.get(scope, EMPTY).standing
        return self.scope_targets.get(scope, 0) - sum(standing[outcome.value] for outcome in Outcome)

    @property
    def only_accepted(self) -> bool:
        """Whether upgrades are followed only to the answer."""
        return self.plan.follow.to == "accepted"

    @property
    def moving(self) -> int:
        """Targets that will move by themselves, and a wave that is being verified."""
        return len(self.queue.starting) + self.following

    @property
    def following(self) -> int:
        """The same without those that have not begun."""
        return self.run.tally.fleet.open - len(self.resting) + (self.verifying is not None)

    @property
    def starts_stand_still(self) -> bool:
        """Whether each target that is about to start waits for a scope that cannot be used now."""
        return not any(count and self.available(name) for name, count in self.queue.starting_scopes.items())

    @property
    def stands_still(self) -> bool:
        """Whether nothing moves but such targets, if anything does."""
        return not self.following and self.starts_stand_still

    @property
    def expected_s(self) -> float:
        """How long an upgrade takes: as was seen, else as the plan says, else as the cloud foretold."""
        seen = self.run.durations.quantile(0.5)
        if seen is None and not self.plan.says_expected:
            seen = self.run.foretold.quantile(0.5)
        expected = self.plan.follow.expected_s if seen is None else seen
        return min(expected, self.plan.follow.timeout_s)
