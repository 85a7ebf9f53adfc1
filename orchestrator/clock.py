"""The real time, the only place where it is read. Everything else is given a clock, and tests give it another one."""

import time
from datetime import UTC, datetime, timedelta


class SystemClock:
    """The clock of this machine, steady from the moment it is made: a step of the wall clock does not reach `now`.

    Args:
        ahead: how far another clock is ahead of this machine's, which it shows instead.
    """

    def __init__(self, ahead: timedelta = timedelta()) -> None:
        self._ahead = ahead
        self._began_at = self.wall()
        self._began_s = self.monotonic()

    def now(self) -> datetime:
        """The wall clock as it was when this clock was made, and the monotonic time since: aware, in UTC.

        The difference of two readings is time that really passed. For the journal, and for all that has to last.
        """
        return self._began_at + timedelta(seconds=self.monotonic() - self._began_s)

    def wall(self) -> datetime:
        """What the wall clock shows now, aware, in UTC, wherever it was set to: for the calendar alone."""
        return datetime.now(UTC) + self._ahead  # noqa: TID251  # this is the clock that everybody else is to use

    def monotonic(self) -> float:
        """Seconds that never go back: for pacing and time-outs."""
        return time.monotonic()  # noqa: TID251  # as in `wall`; asking the event loop costs ten times as much

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds of monotonic time."""
        from anyio import sleep  # noqa: PLC0415  # brings inspect along, which who only looks at a plan has no use for

        await sleep(seconds)
