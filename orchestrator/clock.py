"""The real time, the only place where it is read. Everything else is given a clock, and tests give it another one."""

from datetime import UTC, datetime

import anyio


class SystemClock:
    """The clock of this machine and of the event loop that runs."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC: for windows, soaks and the journal."""
        return datetime.now(UTC)  # noqa: TID251  # this is the clock that everybody else is to use

    def monotonic(self) -> float:
        """Seconds of the event loop's clock, never going back: for pacing and time-outs."""
        return anyio.current_time()

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds of monotonic time."""
        await anyio.sleep(seconds)
