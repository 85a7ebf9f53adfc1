"""The program's own clock on a host that shares a database, on virtual time: its wall clock may be off, and be set."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import anyio
from fakes.clock import START, VirtualClock

from orchestrator.clock import SystemClock
from orchestrator.tracker.postgres.host_clock import clock_ahead

if TYPE_CHECKING:
    from orchestrator.tracker.postgres.database import Database


class Told:
    """A database that tells one instant."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def __str__(self) -> str:
        return "postgresql://db1/fleets"

    def run(self, work: Callable[[Any], Any], *, patience_s: float) -> Any:
        del patience_s  # it is there
        return work(self)

    def execute(self, _statement: str) -> "Told":
        return self

    def fetchone(self) -> tuple[datetime]:
        return (self._at,)


class HostClock(VirtualClock):
    """Its wall clock is off by what `off_s` says of each second; a session's time is set by the database's.

    Args:
        off_s: seconds by which it is ahead then.
        start: the true time at which the event loop's clock shows 0.
        took_s: how long each question takes by which that is found out; the database reads its clock at the end of it.
    """

    def __init__(self, off_s: Callable[[float], float], start: datetime = START, took_s: float = 0.1) -> None:
        super().__init__(start)
        truth, off = super().now(), timedelta(seconds=off_s(anyio.current_time()))
        shown = iter([truth + off - timedelta(seconds=took_s), truth + off] * 3)
        self._session = _Machine(super().now, off_s, clock_ahead(cast("Database", Told(truth)), lambda: next(shown)))

    def now(self) -> datetime:
        return self._session.now()

    def wall(self) -> datetime:
        return self._session.wall()


class _Machine(SystemClock):
    """The clock of a process, as the program makes it."""

    def __init__(self, truth: Callable[[], datetime], off_s: Callable[[float], float], ahead: timedelta) -> None:
        self._truth, self._off_s = truth, off_s
        super().__init__(ahead)

    def wall(self) -> datetime:
        return self._truth() + timedelta(seconds=self._off_s(anyio.current_time())) + self._ahead

    def monotonic(self) -> float:
        return anyio.current_time()
