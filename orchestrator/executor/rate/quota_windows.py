"""Hold a limit that the cloud counts in long fixed periods, such as so many calls per minute. Arithmetic only.

A refusal ends the period: nothing passes until the next one begins. So the calls of a period that was watched from its
beginning are the limit, to the call, and the pace is spread over the whole period. To find out whether the limit has
risen, a period is used up a little early now and then: the call that follows tells, and a refusal costs no throughput.
"""

from math import inf

from msgspec import Struct

_FASTEST = 1000.0
_MARGIN = 0.985
#: A probed period is used up after this share of it.
_EARLY = 0.93
#: A pause of a larger share reaches into the next period, and is made small by a long rest before the next probe.
_SHORT_PAUSE, _REST_PER_PAUSE = 0.25, 10.0
#: Doubles the rate every ten seconds, answer by answer: faster would overshoot by what is then refused at once.
_GROWTH = 0.07
_TOLERANCE = 0.02
#: A period that ends so early is a shorter one; a limit that was missed by an unknown number is lowered so much.
_SHORTER, _LESS, _USED_UP = 0.95, 0.97, 0.9
#: The beginning of a period is known well enough; and how often it is tried for while it is not, in periods.
_NARROW_S = 2.0
_BLIND = 1 / 5


class QuotaWindows(Struct):
    """The rate for one limit per long period. Begin with `quota_windows`.

    Attributes:
        period_s: length of the cloud's period.
        rate: the pace in force, calls per second.
    """

    period_s: float
    rate: float
    _limit: int | None
    _begin_s: float | None = None
    _slack_s: float = 0.0  # the period began at most so long before `_begin_s`
    _watched: bool = False  # every call of the period was surely counted
    _named: bool = False  # the cloud named the limit in this period
    _full: bool = False  # a call was refused, so the period is used up
    _ends_s: float | None = None
    _next_slack_s: float = 0.0
    _latest_s: float = -inf  # the next period begins by then, if all is as it was
    _refused_s: float = -inf
    _probing: bool = False
    _probe_at_s: float = -inf
    _count: int = 0

    @property
    def learned(self) -> float:
        """Calls per second over a whole period."""
        return self.rate if self._limit is None else self._limit / self.period_s

    def quota_named(self, limit: int, period_s: float) -> None:
        """The cloud has named its limit."""
        self._limit, self.period_s, self._named = limit, period_s, True

    def roll(self, now_s: float, *, may_risk: bool) -> None:
        """Go on to the period that holds this instant. `may_risk`: a call may be refused in it."""
        if self._full:
            if self._ends_s is not None and now_s >= self._ends_s:
                self._settle(self._ends_s)
                self._slack_s = self._next_slack_s
                self._watched = True
                self._open(self._ends_s, now_s, may_risk=may_risk)
        elif self._begin_s is not None and now_s >= self._begin_s + self.period_s:
            self._watched = self._slack_s <= _NARROW_S
            periods = (now_s - self._begin_s) // self.period_s
            self._open(self._begin_s + periods * self.period_s, now_s, may_risk=may_risk)

    def accepted(self, sent_s: float, now_s: float, *, wanted: bool, may_risk: bool) -> None:
        """A call was not refused. `wanted`: more calls stand in line, so that growing is of use."""
        if self._full and self._ends_s is None and sent_s > self._refused_s:
            self._ends_s = sent_s
            self._next_slack_s = sent_s - max(self._refused_s, self._latest_s - self._slack_s)
        self.roll(now_s, may_risk=may_risk)
        if self._begin_s is not None and sent_s < self._begin_s:
            return
        self._count += 1
        if self._exceeded(sent_s):
            self._limit = None
        if self._limit is None and wanted and not self._full:
            self.rate = min(_FASTEST, self.rate + _GROWTH)

    def refused(self, sent_s: float, now_s: float, wait_s: float, *, server_named_pause: bool) -> float:
        """A call was one too many. How long to wait: `wait_s` if the cloud said so, else until a try makes sense."""
        if not self._full:
            self._end(now_s, wait_s)
        self._refused_s = sent_s
        if server_named_pause:
            self._ends_s, self._next_slack_s = now_s + wait_s, 1.0
            return wait_s
        return self._patience_s(sent_s, now_s)

    def slowed(self) -> None:
        """Answers take twice as long as they used to."""
        self.rate /= 2

    def _exceeded(self, sent_s: float) -> bool:
        """More calls than the limit have passed, and surely in one period."""
        if self._limit is None or self._begin_s is None or sent_s >= self._begin_s - self._slack_s + self.period_s:
            return False
        return self._count > self._limit + max(1, _TOLERANCE * self._limit)

    def _end(self, now_s: float, wait_s: float) -> None:
        self._full, self._ends_s = True, None
        self._latest_s = -inf
        if self._begin_s is not None:
            self._latest_s = self._begin_s + self.period_s
        used_up = self._limit is not None and self._count > _USED_UP * self._limit
        if self._probing and used_up and wait_s > _SHORT_PAUSE * self.period_s:
            self._probe_at_s = now_s + _REST_PER_PAUSE * wait_s

    def _settle(self, ends_s: float) -> None:
        """The period is over, and its calls are counted."""
        if self._begin_s is None or self._named:
            return
        if self._watched:
            self._limit = max(1, self._count)
            if ends_s - self._begin_s + self._slack_s < _SHORTER * self.period_s:
                self.period_s = ends_s - self._begin_s
        elif self._limit is None or self._count > self._limit:
            self._limit = max(1, self._count)
        else:
            self._limit = max(1, int(_LESS * self._limit))

    def _open(self, begin_s: float, now_s: float, *, may_risk: bool) -> None:
        self._full, self._ends_s, self._named = False, None, False
        self._begin_s, self._count = begin_s, 0
        if self._limit is not None:
            self._probing = may_risk and now_s >= self._probe_at_s
            early = _EARLY * (1 - self._slack_s / self.period_s)
            self.rate = self._limit / self.period_s * (1 / early if self._probing else _MARGIN)

    def _patience_s(self, sent_s: float, now_s: float) -> float:
        """How long to wait when nobody said: until the next period is known, or may be half expected, to begin."""
        if sent_s >= self._latest_s:  # later than foreseen: the periods are other than was thought
            self._latest_s = -inf
            return self.period_s * _BLIND
        middle_s = self._latest_s - self._slack_s / 2
        if self._slack_s > _NARROW_S and middle_s > now_s:
            return middle_s - now_s
        return max(0.05, self._latest_s + 0.05 - now_s)


def quota_windows(period_s: float, limit: int) -> QuotaWindows:
    """Begin to count.

    Args:
        period_s: length of the cloud's period.
        limit: calls per period, to begin with; replaced by what is counted.
    """
    return QuotaWindows(period_s=period_s, rate=limit / period_s, _limit=limit)
