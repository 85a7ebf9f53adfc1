"""`rate: auto` between sessions: what earlier ones found is where this one starts."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from orchestrator.cloud.rate_key import RateKey, rate_key
from orchestrator.errors import StateError
from orchestrator.executor.ports import Clock
from orchestrator.model.learned.known_rate import KnownRate
from orchestrator.model.plan.plan import Plan, Scope
from orchestrator.tracker.state_store import State

if TYPE_CHECKING:
    from orchestrator.executor.rate.shared_pacer import RatePlace

#: The rate that each scope has found, by its name; None where it was written.
Learned: TypeAlias = Mapping[str, float | None]

#: What has moved less than this is not worth writing.
_NEWS = 0.02


class RatesPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Where the rates of all fleets are kept.

    Attributes:
        state: of those fleets.
        writes: whether what is found is kept; a preview only reads.
        warn: called with a sentence when the memory is damaged or cannot be written; nothing else follows.
        warn_unshared: likewise, when other processes of the state folder cannot be asked to share a rate.
    """

    state: State
    writes: bool = True
    warn: Callable[[str], None]
    warn_unshared: Callable[[str], None]


class RateMemory(msgspec.Struct, kw_only=True, dict=True):
    """What is known of the rates of scopes.

    Attributes:
        environ: where an endpoint may be named.
        at: where they are kept; None for a cloud that is new each time, of which nothing is known and kept.
    """

    environ: Mapping[str, str]
    at: RatesPlace | None = None
    _kept: dict[str, KnownRate] = {}

    def warn(self, why: str) -> None:
        """Say what is wrong with the memory; where nothing is kept, nothing is lost."""
        if self.at is not None:
            self.at.warn(why)

    def warn_unshared(self, why: str) -> None:
        """Say why a rate is not shared; where nothing is kept, none ever is."""
        if self.at is not None:
            self.at.warn_unshared(why)

    def known(self, scope: Scope) -> KnownRate | None:
        """What was found for the endpoint and the credentials of a scope."""
        return self._read.get(rate_key(scope, self.environ).digest)

    def place(self, scope: Scope, clock: Clock) -> "RatePlace | None":
        """Where all processes of the state folder keep the rate of a scope; None when there is nobody to share with."""
        if (at := self.at) is None:
            return None
        key = rate_key(scope, self.environ).digest
        return at.state.shared_rate(key, creates=at.writes, monotonic=clock.monotonic, warn=at.warn_unshared)

    def keep(self, plan: Plan, learned: Learned, now: datetime) -> None:
        """Take in what was found since the last time, if it is news, and write it down."""
        self.write(self.news(plan, learned, now))

    def news(self, plan: Plan, learned: Learned, now: datetime) -> dict[str, KnownRate]:
        """Take in what was found since the last time, by key, as far as it is worth writing."""
        found = {
            key.digest: KnownRate(endpoint=key.endpoint, rate=rate, at=now)
            for key, rate in self._found(plan, learned)
            if self._is_news(key, rate)
        }
        self._read.update(found)
        self._kept.update(found)
        return found

    def write(self, found: Mapping[str, KnownRate]) -> None:
        """Write it down, where that is wanted. Nothing else is touched, so a thread may do it."""
        if self.at is None or not self.at.writes or not found:
            return
        try:
            self.at.state.add_rates(found)
        except StateError as error:
            self.warn(str(error))

    def _is_news(self, key: RateKey, rate: float) -> bool:
        """What this process has not kept yet, kept now: it is in use, also when another process found it."""
        kept = self._kept.get(key.digest)
        return kept is None or abs(rate - kept.rate) > _NEWS * kept.rate

    @cached_property
    def _read(self) -> dict[str, KnownRate]:
        if self.at is None:
            return {}
        known, problem = self.at.state.rates()
        if problem is not None:
            self.warn(problem)
        return known

    def _found(self, plan: Plan, learned: Learned) -> Iterator[tuple[RateKey, float]]:
        for scope in plan.scopes:
            rate = learned.get(scope.name)  # one that another host serves has found nothing here
            if rate is not None:
                yield rate_key(scope, self.environ), rate
