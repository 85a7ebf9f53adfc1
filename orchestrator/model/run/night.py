"""The course of a run: when it was held, which scope could not be used when, and how many calls were made. Bounded.

It watches what the run has folded already, so that no rule stands here a second time. It decides nothing: it is for
those who look at a night afterwards.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.model.plan.amount import Amount
from orchestrator.model.record.limit_record import LimitsChanged
from orchestrator.model.record.record_base import Base
from orchestrator.model.record.run_record import (
    HoldSet,
    ScopeGivenUp,
    ScopeOpened,
    ScopePaused,
    ScopeThrottled,
    ScopeUsed,
)
from orchestrator.model.record.session_record import SessionEnded, SessionStarted
from orchestrator.model.run.status import ScopeStatus

#: Of so many periods each has its own; later ones are added to the last of their kind.
_PERIODS = 2000
#: So many records of calls a scope has; then every two become one.
_CALLS = 1024

PeriodKind: TypeAlias = Literal["session", "held", "throttled", "paused", "given_up", "window closed", "frozen"]


class Period(Struct, frozen=True, kw_only=True):
    """A time in which something was so.

    Attributes:
        scope: of which it is true; None for the whole fleet.
        end: None while it goes on.
        times: how often it was so between begin and end.
    """

    kind: PeriodKind
    begin: datetime
    end: datetime | None = None
    why: str = ""
    scope: str | None = None
    times: int = 1


class CallsMade(Struct, frozen=True):
    """Calls of a scope between two instants, and how many a second were allowed at the end of it."""

    begin: datetime
    end: datetime
    calls: int
    throttled: int
    allowed: float | None


class Night(Struct):
    """The course of a run so far.

    Attributes:
        periods: by their begin.
        calls: by scope, in order.
        hold: the hold that was there last.
        in_flight: how many upgrades might be under way from when on, each time that it changed.
        _last: the place of the last period of each kind and scope, see `_key`.
    """

    periods: list[Period] = []
    calls: dict[str, list[CallsMade]] = {}
    hold: HoldSet | None = None
    in_flight: list[tuple[datetime, Amount]] = []
    _planned: Amount | None = None
    _asked: Amount | None = None
    _last: dict[str, int] = {}

    def copy(self) -> "Night":
        """The same, of which nothing changes any more."""
        calls = {scope: list(made) for scope, made in self.calls.items()}
        return Night(list(self.periods), calls, in_flight=list(self.in_flight))

    def note(
        self, record: Base, before: datetime | None, hold: HoldSet | None, scopes: Mapping[str, ScopeStatus]
    ) -> None:
        """Take one record of the run itself, once it is folded.

        Args:
            record: the record.
            before: the instant of the record before it.
            hold: as it is now.
            scopes: as they are now.
        """
        if hold != self.hold:
            self._hold(hold, record.at)
        match record:
            case SessionStarted():
                self._end_all(before or record.at)
                self._begin(Period(kind="session", begin=record.at, why=record.who))
                self._planned = record.in_flight
                self._bound(record.at)
            case LimitsChanged():
                self._asked = record.limits.in_flight
                self._bound(record.at)
            case SessionEnded():
                self._end_all(record.at)
            case ScopeThrottled() | ScopePaused() | ScopeGivenUp() | ScopeOpened():
                self._stand(scopes[record.scope], record.at)
            case ScopeUsed():
                self._use(record)
            case _:
                pass

    def _bound(self, at: datetime) -> None:
        """What a person asked for holds, else what the plan says."""
        allowed = self._asked or self._planned
        if allowed is not None and [allowed] != [each for _, each in self.in_flight[-1:]]:
            self.in_flight = [*self.in_flight[: _PERIODS - 1], (at, allowed)]

    def _hold(self, hold: HoldSet | None, at: datetime) -> None:
        self._end("held", None, at)
        self.hold = hold
        if hold is not None:
            self._begin(Period(kind="held", begin=min(hold.began_at, at), why=hold.reason))

    def _stand(self, scope: ScopeStatus, at: datetime) -> None:
        for kind in ("throttled", "paused", "given_up"):
            self._end(kind, scope.name, at)
        standing = scope.standing(at)
        if standing.state in ("throttled", "paused", "given_up"):
            self._begin(
                Period(kind=standing.state, scope=scope.name, begin=at, end=standing.until, why=standing.reason or "")
            )

    def _begin(self, period: Period) -> None:
        key = _key(period.kind, period.scope)
        place = self._last.get(key)
        last = None if place is None else self.periods[place]
        if last is None or (len(self.periods) < _PERIODS and last.end != period.begin):
            self._last[key] = len(self.periods)
            self.periods.append(period)
        elif place is not None:
            self.periods[place] = replace(last, end=period.end, times=last.times + 1)

    def _end(self, kind: PeriodKind, scope: str | None, at: datetime) -> None:
        """End the last one of this kind, unless it has ended before."""
        place = self._last.get(_key(kind, scope))
        if place is not None:
            self._end_at(place, at)

    def _end_at(self, place: int, at: datetime) -> None:
        last = self.periods[place]
        if last.end is None or last.end > at:
            self.periods[place] = replace(last, end=max(at, last.begin))

    def _end_all(self, at: datetime) -> None:
        """What a process stood for ends with it; a hold outlives it."""
        for place in self._last.values():
            if self.periods[place].kind != "held":
                self._end_at(place, at)

    def _use(self, record: ScopeUsed) -> None:
        made = self.calls.setdefault(record.scope, [])
        begin = record.at - timedelta(seconds=record.seconds)
        made.append(CallsMade(begin, record.at, record.calls, record.throttled, record.rate_limit))
        if len(made) > _CALLS:
            self.calls[record.scope] = [
                CallsMade(one.begin, other.end, one.calls + other.calls, one.throttled + other.throttled, other.allowed)
                for one, other in zip(made[::2], made[1::2], strict=False)
            ] + ([made[-1]] if len(made) % 2 else [])


def _key(kind: PeriodKind, scope: str | None) -> str:
    """One word for both, which can be a key in JSON too: no kind holds a colon."""
    return kind if scope is None else f"{kind}:{scope}"
