"""How far the cloud's time is from ours, learned from the `Date` of one answer after the other. Pure."""

from dataclasses import dataclass
from datetime import datetime

from orchestrator.model.record import CloudTimeLearned
from orchestrator.model.reply import Exchange

#: A `Date` has whole seconds.
_WHOLE_S = 1.0

#: Less than this is not worth a record: answers take their time, and machines behind one address differ a little.
_NEWS_S = 2.0

#: A clock that went forward is believed once in so long; one that went back at once: it makes nothing end too soon.
_SETTLES_S = 60.0

#: What is lost when an offset is written with three digits, and a duration with whole milliseconds.
_ROUNDED_S = 0.002

#: From here on a clock was set, it did not just run a little too fast.
STEP_S = 5.0


@dataclass(slots=True)
class CloudTime:
    """The offset of one scope.

    Attributes:
        offset_s: the cloud's time minus ours, as it was last said; None before the first `Date`.
    """

    offset_s: float | None = None
    _best_s: float = 0.0
    _most_s: float = 0.0
    _said_s: float = 0.0

    def learned(self, scope: str, now: datetime) -> CloudTimeLearned:
        """The record of it."""
        offset_s = self.offset_s or 0.0
        within_s = self._most_s - offset_s + _ROUNDED_S
        return CloudTimeLearned(
            at=now, step="clock", scope=scope, offset_s=round(offset_s, 3), within_s=round(within_s, 3)
        )

    def learn(self, exchange: Exchange, now_s: float) -> float | None:
        """Take in an answer. The change, if there is news: the whole offset at first.

        The cloud's clock showed `Date` at some instant between sending and receiving, so the offset is known to lie in
        an interval; what agrees with it says nothing new.
        """
        low_s = exchange.cloud_offset_s
        if low_s is None:
            return None
        high_s = low_s + _WHOLE_S + exchange.duration_ms / 1000
        if self.offset_s is None:
            self.offset_s, self._best_s, self._most_s, self._said_s = low_s, low_s, high_s, now_s
            return low_s
        finer = low_s <= self._most_s
        self._most_s = min(self._most_s, high_s) if finer and self._best_s <= high_s else high_s
        self._best_s = max(self._best_s, low_s) if self._best_s <= high_s else low_s
        change_s = self._best_s - self.offset_s
        believed = change_s < 0 or finer or now_s - self._said_s >= _SETTLES_S
        if abs(change_s) < _NEWS_S or not believed:
            return None
        self.offset_s, self._said_s = self._best_s, now_s
        return change_s
