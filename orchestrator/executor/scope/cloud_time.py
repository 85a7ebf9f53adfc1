"""How far the cloud's time is from ours, learned from the `Date` of one answer after the other. Pure."""

from datetime import datetime
from typing import NamedTuple

import msgspec

from orchestrator.model.record.record import CloudTimeLearned
from orchestrator.model.reply.reply import Exchange

#: A `Date` has whole seconds.
_WHOLE_S = 1.0

#: Less than this is not worth a record: answers take their time, and machines behind one address differ a little.
_NEWS_S = 2.0

#: A clock that went forward is believed once in so long; one that went back at once: it makes nothing end too soon.
_SETTLES_S = 60.0

#: … or when no answer has agreed for so long with what was known: it was set. Of two machines behind one address, of
#: which one is wrong, the right one answers sooner again.
_SET_S = 10.0

#: What is lost when an offset is written with three digits, and a duration with whole milliseconds.
_ROUNDED_S = 0.002

#: From here on a clock was set, it did not just run a little too fast.
STEP_S = 5.0

#: A host whose clock differs from the cloud's by more than this is wrong.
TOLERATED_S = 60.0


class _Span(NamedTuple):
    """Where an offset lies, in seconds."""

    low_s: float
    high_s: float

    def away_s(self, other: "_Span") -> float:
        """How far another one is away at least; 0 when both may be the same."""
        return max(0.0, other.low_s - self.high_s, self.low_s - other.high_s)

    def narrowed(self, other: "_Span") -> "_Span":
        """What is in both; the other one when nothing is."""
        if self.away_s(other) > 0:
            return other
        return _Span(max(self.low_s, other.low_s), min(self.high_s, other.high_s))


#: What is known before any answer: the clock of this host.
_BY_THIS_HOST = _Span(-TOLERATED_S, TOLERATED_S)


class CloudTime(msgspec.Struct):
    """The offset of one scope.

    A single answer whose `Date` is far from all that is known is not believed: the next one has to say the same. At
    first nothing is known but the clock of this host.

    Attributes:
        offset_s: the cloud's time minus ours, as it was last said; None before it is known.
    """

    offset_s: float | None = None
    _known: _Span = _BY_THIS_HOST
    _strange: _Span | None = None
    _most_s: float = 0.0
    _said_s: float = 0.0
    _agreed_s: float = 0.0
    _unsure_s: float | None = None

    @property
    def doubtful(self) -> bool:
        """Whether nothing is known but a `Date` that this host's clock calls wrong: another answer has to tell."""
        return self.offset_s is None and self._strange is not None

    def learned(self, scope: str, now: datetime) -> CloudTimeLearned:
        """The record of it."""
        offset_s = self.offset_s or 0.0
        within_s = self._most_s - offset_s + _ROUNDED_S
        return CloudTimeLearned(
            at=now,
            step="clock",
            scope=scope,
            offset_s=round(offset_s, 3),
            within_s=round(within_s, 3),
            unsure_s=None if self._unsure_s is None else round(self._unsure_s + _ROUNDED_S, 3),
        )

    def learn(self, exchange: Exchange, now_s: float) -> float | None:
        """Take in an answer. The change, if there is news: the whole offset at first.

        The cloud's clock showed `Date` at some instant between sending and receiving, so the offset is known to lie in
        an interval; what agrees with it says nothing new.
        """
        low_s = exchange.cloud_offset_s
        if low_s is None:
            return None
        shown = _Span(low_s, low_s + _WHOLE_S + exchange.duration_ms / 1000)
        if not self._believes(shown):
            return None
        change_s = self._take(shown, now_s)
        if self.offset_s is not None and shown.away_s(_Span(self.offset_s, self.offset_s)) < STEP_S:
            self._agreed_s = now_s
        return change_s

    def _believes(self, shown: _Span) -> bool:
        tolerated_s = 0.0 if self.offset_s is None else STEP_S
        before, self._strange = self._strange, shown if self._known.away_s(shown) > tolerated_s else None
        return self._strange is None or (before is not None and before.away_s(shown) < STEP_S)

    def _take(self, shown: _Span, now_s: float) -> float | None:
        if self.offset_s is None:
            self._known = shown
            return self._say(now_s)
        self._known = self._known.narrowed(shown)
        change_s = self._known.low_s - self.offset_s
        finer = self._known.low_s <= self._most_s
        believed = change_s < 0 or finer or now_s - self._said_s >= _SETTLES_S or now_s - self._agreed_s >= _SET_S
        if abs(change_s) < _NEWS_S or not believed:
            return None
        self._unsure_s = now_s - self._agreed_s
        self._say(now_s)
        return change_s

    def _say(self, now_s: float) -> float:
        self.offset_s, self._most_s = self._known
        self._said_s = now_s
        return self.offset_s
