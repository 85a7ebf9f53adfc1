"""The real time, the only place where it is read. Everything else is given a clock, and tests give it another one."""

import time
from datetime import UTC, datetime

import anyio


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC: for windows, soaks and the journal."""
        return datetime.now(UTC)  # noqa: TID251  # this is the clock that everybody else is to use

    def monotonic(self) -> float:
        """Seconds that never go back: for pacing and time-outs."""
        return time.monotonic()  # noqa: TID251  # as in `now`; asking the event loop costs ten times as much

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds of monotonic time."""
        await anyio.sleep(seconds)
