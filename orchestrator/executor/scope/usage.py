"""How much a scope was used in a period: its calls, and how long they took at the pace that they came at. Pure."""

from __future__ import annotations

import msgspec


class Usage(msgspec.Struct):
    """The use of one scope in one period.

    Attributes:
        since_s: the last call before, if it was made in the period just before; else the first of this period.
        last_s: the last call. Both in monotonic seconds.
        alone: whether one call, the first of all, has no gap to another one before it.
    """

    calls: int = 0
    throttled: int = 0
    since_s: float | None = None
    last_s: float = 0.0
    alone: bool = True
    _gaps: int = 0

    @property
    def seconds(self) -> float:
        """From the call before, or the first, to the last one. The first of all takes as long as those after it.

        So calls through seconds are a rate: ten calls, each a second after the one before, go on for ten seconds and
        not for nine, and never seem to be more than the pace that was kept.
        """
        if self.since_s is None or not self._gaps:
            return 0.0
        return (self.last_s - self.since_s) * (self._gaps + self.alone) / self._gaps

    def count(self, now_s: float) -> None:
        """One more call, made now."""
        self.calls += 1
        self._gaps += self.since_s is not None
        self.since_s = now_s if self.since_s is None else self.since_s
        self.last_s = now_s

    def after(self) -> Usage:
        """The use in the next period, in which nothing was called yet."""
        return Usage(since_s=self.last_s, alone=self.alone and not self._gaps) if self.calls else Usage()
