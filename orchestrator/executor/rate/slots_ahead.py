"""Slots of a shared rate that a process has taken ahead of their use, so that a call need not open the place each time.

They count as used at the end of their time, so whenever they are used no second has more calls than it is known to
have. They are taken only while less than half of the rate is used: what is lost of them then is missed by nobody.
"""

from orchestrator.executor.rate.fixed_rate import WindowPacer

#: What is not used in so many seconds is lost; a pause that another process was told is heeded so much later.
_TIME_S = 0.01
#: So many at most: then an exchange costs a call next to nothing.
_MOST = 64


class SlotsAhead:
    """Those of one process. More are taken where all were used, fewer where some were lost."""

    def __init__(self) -> None:
        self._left = 0
        self._from_s = self._until_s = self._step_s = 0.0
        self._size = 0

    def delay_s(self, now_s: float) -> float | None:
        """After how many seconds the next one may be used; None when there is none."""
        if self._left and now_s > self._until_s:
            self._size //= 2
            self._left = 0
        return max(0.0, self._from_s - now_s) if self._left else None

    def use(self) -> None:
        """The next one is used."""
        self._left -= 1
        self._from_s += self._step_s

    def take(self, pacer: WindowPacer, now_s: float) -> None:
        """Take some beside the one that was just taken; there must be none left."""
        self._size = min(_MOST, 2 * self._size or 1)
        self._until_s, self._step_s = now_s + _TIME_S, 1 / pacer.rate
        self._from_s = now_s + self._step_s
        self._left = pacer.reserve(now_s, self._size, self._until_s)

    def drop(self) -> None:
        """None is used any more: the cloud has asked for a pause, or another rate holds."""
        self._left = 0
