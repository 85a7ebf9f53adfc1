"""`rate: auto` between sessions: what earlier ones found is where this one starts, and what a preview assumes."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from anyio import to_thread
from msgspec import structs

from orchestrator.cloud import RateKey, rate_key
from orchestrator.errors import StateError
from orchestrator.executor.dispatch import Background, Dispatcher
from orchestrator.executor.ports import Clock
from orchestrator.executor.rate.shared_pacer import RatePlace
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.model.known_rate import KnownRate
from orchestrator.model.plan import Plan, Scope
from orchestrator.planner.preview.estimate import AUTO_RATE, AssumedRate
from orchestrator.tracker.state import State

#: What has moved less than this is not worth writing.
_NEWS = 0.02
#: How often it is written while a session goes on; a process that is killed loses no more.
_KEEP_EVERY_S = 60.0


def _nobody(_warning: str) -> None:
    pass


@dataclass(kw_only=True)
class RateMemory:
    """What is known of the rates of scopes.

    Attributes:
        state: where they are kept; None for a cloud that is new each time, of which nothing is known and kept.
        environ: where an endpoint may be named.
        writes: whether what is found is kept; a preview only reads.
        warn: called with a sentence when the memory is damaged or cannot be written; nothing else follows.
        warn_unshared: likewise, when other processes of the state folder cannot be asked to share a rate.
    """

    environ: Mapping[str, str]
    state: State | None = None
    writes: bool = True
    warn: Callable[[str], None] = _nobody
    warn_unshared: Callable[[str], None] = _nobody
    _kept: dict[str, KnownRate] = field(default_factory=dict)

    def known(self, scope: Scope) -> KnownRate | None:
        """What was found for the endpoint and the credentials of a scope."""
        return self._read.get(rate_key(scope, self.environ).digest)

    def place(self, scope: Scope, clock: Clock) -> RatePlace | None:
        """Where all processes of the state folder keep the rate of a scope; None when there is nobody to share with."""
        if self.state is None:
            return None
        key = rate_key(scope, self.environ).digest
        return self.state.shared_rate(key, creates=self.writes, monotonic=clock.monotonic, warn=self.warn_unshared)

    def keep(self, plan: Plan, scopes: Mapping[str, ScopeCalls], now: datetime) -> None:
        """Take in what was found since the last time, if it is news, and write it down."""
        self.write(self.news(plan, scopes, now))

    def news(self, plan: Plan, scopes: Mapping[str, ScopeCalls], now: datetime) -> dict[str, KnownRate]:
        """Take in what was found since the last time, by key, as far as it is worth writing."""
        found = {
            key.digest: KnownRate(endpoint=key.endpoint, rate=rate, at=now)
            for key, rate in self._found(plan, scopes)
            if self._is_news(key, rate)
        }
        self._read.update(found)
        self._kept.update(found)
        return found

    def write(self, found: Mapping[str, KnownRate]) -> None:
        """Write it down, where that is wanted. Nothing else is touched, so a thread may do it."""
        if self.state is None or not self.writes or not found:
            return
        try:
            self.state.add_rates(found)
        except StateError as error:
            self.warn(str(error))

    def _is_news(self, key: RateKey, rate: float) -> bool:
        """What this process has not kept yet, kept now: it is in use, also when another process found it."""
        kept = self._kept.get(key.digest)
        return kept is None or abs(rate - kept.rate) > _NEWS * kept.rate

    @cached_property
    def _read(self) -> dict[str, KnownRate]:
        known, problem = ({}, None) if self.state is None else self.state.rates()
        if problem is not None:
            self.warn(problem)
        return known

    def _found(self, plan: Plan, scopes: Mapping[str, ScopeCalls]) -> Iterator[tuple[RateKey, float]]:
        for scope in plan.scopes:
            rate = scopes[scope.name].lanes.pacer.learned
            if rate is not None:
                yield rate_key(scope, self.environ), rate


def keeping(memory: RateMemory, beside: Callable[..., Awaitable[None]] = to_thread.run_sync) -> Background:
    """The task that writes down, while a session goes on, what it finds.

    Args:
        memory: where it is kept.
        beside: calls a function with its arguments where it holds up no loop: in a thread.
    """

    async def task(dispatcher: Dispatcher) -> None:
        session = dispatcher.session
        while True:
            await session.clock.sleep(_KEEP_EVERY_S)
            await beside(memory.write, memory.news(session.plan, session.scopes, session.clock.now()))

    return task


def rate_groups(plan: Plan, environ: Mapping[str, str]) -> list[list[Scope]]:
    """The scopes that share a rate."""
    groups: dict[RateKey, list[Scope]] = {}
    for scope in plan.scopes:
        groups.setdefault(rate_key(scope, environ), []).append(scope)
    return list(groups.values())


def written_rate(plan: Plan, group: Sequence[Scope]) -> float | None:
    """The lowest rate that the plan writes for scopes that share one; None when it is to be found out for all."""
    rates = (plan.limits.rate if scope.rate is None else scope.rate for scope in group)
    return min((rate for rate in rates if rate != "auto"), default=None)


def assume_rates(plan: Plan, memory: RateMemory) -> tuple[Plan, tuple[AssumedRate, ...]]:
    """The plan with an assumed number for every `auto`, and what the numbers rest on."""
    if not plan.finds_rates:
        return plan, ()
    assumed: list[AssumedRate] = []
    numbers: dict[str, float] = {}
    for group in rate_groups(plan, memory.environ):
        names, known, written = tuple(scope.name for scope in group), memory.known(group[0]), written_rate(plan, group)
        if written is not None:
            numbers.update(dict.fromkeys(names, written))
            continue
        rate = AUTO_RATE if known is None else known.rate
        assumed.append(AssumedRate(scopes=names, rate=rate, found_at=None if known is None else known.at))
        numbers.update(dict.fromkeys(names, rate))
    scopes = (structs.replace(scope, rate=numbers.get(scope.name, scope.rate)) for scope in plan.scopes)
    return structs.replace(plan, scopes=tuple(scopes)), tuple(assumed)
