"""Virtual time: hours pass in milliseconds, and the order of tasks that are ready at once follows from a seed."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import anyio
import trio.testing
from trio._core import _run as scheduler

#: A Sunday evening.
START = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)

T = TypeVar("T")


class VirtualClock:
    """The clock of the event loop, in all three shapes.

    Args:
        start: the instant at which the event loop's clock shows 0, as a trio MockClock does at its beginning.

    Attributes:
        ahead_s: how far the wall clock was set since then.
    """

    def __init__(self, start: datetime = START) -> None:
        self.start = start
        self.ahead_s = 0.0

    def now(self) -> datetime:
        return self.start + timedelta(seconds=anyio.current_time())

    def wall(self) -> datetime:
        return self.now() + timedelta(seconds=self.ahead_s)

    def monotonic(self) -> float:
        return anyio.current_time()

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


def run_virtual(story: Callable[[], Awaitable[T]], *, seed: int = 0) -> T:
    """Run a story on virtual time that jumps to the next deadline whenever all tasks wait.

    Args:
        story: an async function without arguments.
        seed: decides the order of tasks that could run at the same instant.
    """
    setattr(scheduler, "_ALLOW_DETERMINISTIC_SCHEDULING", True)  # final for everybody but tests
    scheduler._r.seed(seed)
    clock = trio.testing.MockClock(autojump_threshold=0)
    return anyio.run(story, backend="trio", backend_options={"clock": clock})
