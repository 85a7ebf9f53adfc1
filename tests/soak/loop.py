"""An event loop on virtual time: whenever every task waits, the clock jumps to the next timer. Hours cost microseconds.

asyncio's own loop with a selector that watches no sockets; nothing here touches the real clock, so the same coroutine
with the same seed does the same in every process.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")

#: The instant at which the virtual clock shows 0: a Sunday evening.
ZERO = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)

#: Instants closer than this are the same one.
_RESOLUTION_S = 1e-6


#: Rounds of one process; a loop that spins has more.
_MOST_ROUNDS = 1_000_000


#: No process goes on for longer: whatever holds it up, it ends itself and tells its exit code.
_LONGEST_S = 5 * 24 * 3600.0


class Stuck(RuntimeError):
    """Every task waits and no timer would wake one, tasks wake each other for ever, or timers go on for ever."""


class VirtualLoop(asyncio.BaseEventLoop):
    """Time is what the timers say. It is its own selector, since there is nothing else to wait for."""

    def __init__(self, now_s: float) -> None:
        super().__init__()
        self._now_s = now_s
        self._ends_s = now_s + _LONGEST_S
        self._rounds = 0
        self._clock_resolution = _RESOLUTION_S
        self._selector = self
        self.lost: list[dict[str, Any]] = []
        self.set_exception_handler(lambda _loop, context: self.lost.append(context))

    def time(self) -> float:
        """Virtual seconds since `ZERO`."""
        return self._now_s

    def select(self, timeout: float | None) -> tuple[()]:
        """Nothing is left to do at this instant: time passes."""
        self._rounds += 1
        if timeout is None:
            raise Stuck("every task waits for another")
        if self._rounds > _MOST_ROUNDS:
            raise Stuck("tasks wake each other for ever")
        self._now_s += timeout
        if self._now_s > self._ends_s:
            raise Stuck("the process does not end")
        return ()

    def _process_events(self, _events: tuple[()]) -> None:
        """There are no sockets."""

    def _write_to_self(self) -> None:
        """There is no other thread."""


def instant(now_s: float) -> datetime:
    """What the wall clock shows at a virtual instant."""
    return ZERO + timedelta(seconds=now_s)


def seconds(at: datetime) -> float:
    """The virtual instant at which the wall clock shows this."""
    return (at - ZERO).total_seconds()


def play(story: Callable[[VirtualLoop], Awaitable[T]], now_s: float) -> T:
    """Run one story from a virtual instant on.

    Raises:
        RuntimeError: an exception was raised where nobody awaits it.
    """
    loop = VirtualLoop(now_s)

    async def tell() -> T:
        return await story(loop)

    try:
        told = loop.run_until_complete(tell())
        if loop.lost:
            raise RuntimeError(loop.lost[0].get("message")) from loop.lost[0].get("exception")
        return told
    finally:
        loop.close()
