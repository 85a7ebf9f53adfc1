"""How long upgrades took, as far as this run has seen: what replaces the plan's `follow.expected`."""

from bisect import bisect_left, insort

import msgspec

_REMEMBERED = 500

#: Upper bounds, in seconds, of the groups in which all are counted; what took longer is in none.
BOUNDS_S = (60, 120, 300, 600, 900, 1200, 1800, 2700, 3600, 7200, 14400)


class Durations(msgspec.Struct):
    """The latest durations in seconds, always sorted, so that a quantile costs nothing; and the counts of all.

    Attributes:
        grouped: how many were above the bound before and at most this one, for each of `BOUNDS_S`, and above all.
        total_s: the sum of all.
    """

    _latest: list[float] = []
    _sorted: list[float] = []
    grouped: list[int] = msgspec.field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))
    total_s: float = 0.0

    def __len__(self) -> int:
        return len(self._sorted)

    def add(self, seconds: float) -> None:
        """Remember one more; the oldest is forgotten beyond 500, so that a drift shows."""
        if seconds < 0:
            return
        self.grouped[bisect_left(BOUNDS_S, seconds)] += 1
        self.total_s += seconds
        self._latest.append(seconds)
        insort(self._sorted, seconds)
        if len(self._latest) > _REMEMBERED:
            del self._sorted[bisect_left(self._sorted, self._latest.pop(0))]

    def quantile(self, share: float) -> float | None:
        """The duration that `share` of the upgrades did not exceed; None before the first one."""
        if not self._sorted:
            return None
        return self._sorted[min(len(self._sorted) - 1, int(share * len(self._sorted)))]
