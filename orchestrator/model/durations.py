"""How long upgrades took, as far as this run has seen: what replaces the plan's `follow.expected`."""

from bisect import bisect_left, insort
from collections import deque

_REMEMBERED = 500


class Durations:
    """The latest durations in seconds, always sorted, so that a quantile costs nothing."""

    def __init__(self) -> None:
        self._latest: deque[float] = deque()
        self._sorted: list[float] = []

    def __len__(self) -> int:
        return len(self._sorted)

    def add(self, seconds: float) -> None:
        """Remember one more; the oldest is forgotten beyond 500, so that a drift shows."""
        if seconds < 0:
            return
        self._latest.append(seconds)
        insort(self._sorted, seconds)
        if len(self._latest) > _REMEMBERED:
            del self._sorted[bisect_left(self._sorted, self._latest.popleft())]

    def quantile(self, share: float) -> float | None:
        """The duration that `share` of the upgrades did not exceed; None before the first one."""
        if not self._sorted:
            return None
        return self._sorted[min(len(self._sorted) - 1, int(share * len(self._sorted)))]
