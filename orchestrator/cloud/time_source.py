"""What this package needs of a clock, so that tests can set the time."""

from datetime import datetime
from typing import Protocol


class TimeSource(Protocol):
    """Steady UTC for dates, the wall clock for first signatures, monotonic seconds for durations and expiry."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""

    def wall(self) -> datetime:
        """What the wall clock shows now: as good a guess as there is while the cloud's time is not known."""

    def monotonic(self) -> float:
        """Seconds from some fixed point, never going back."""
