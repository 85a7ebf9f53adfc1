"""How much a scope was used in a period: its calls, and the time from the first to the last. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Usage:
    """The use of one scope in one period.

    Attributes:
        since_s: the last call before, if it was made in the period just before; else the first of this period.
        last_s: the last call. Both in monotonic seconds.
    """

    calls: int = 0
    throttled: int = 0
    since_s: float | None = None
    last_s: float = 0.0

    @property
    def seconds(self) -> float:
        """From the call before, or the first, to the last one."""
        return 0.0 if self.since_s is None else self.last_s - self.since_s

    def count(self, now_s: float) -> None:
        """One more call, made now."""
        self.calls += 1
        self.since_s = now_s if self.since_s is None else self.since_s
        self.last_s = now_s

    def after(self) -> Usage:
        """The use in the next period, in which nothing was called yet."""
        return Usage(since_s=self.last_s) if self.calls else Usage()
