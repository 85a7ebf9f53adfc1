"""What this package needs of a clock, so that tests can set the time."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """UTC for signatures and dates, monotonic seconds for durations and expiry."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds from some fixed point, never going back."""
