"""Find and hold the highest rate that the cloud bears, from refusals alone. Arithmetic only.

The limit lies between a rate that passed, `low`, and one that was refused, `high`. Three modes:

- **climb**: go up in stages, each long enough to be sure of it; the first climb doubles. A refusal ends it: `low` is
  the last stage that passed.
- **recover**: a refusal halves the rate at once; it is back at `low` a few answers later, as in CUBIC (RFC 9438).
- **rest** at `low`. Now and then, when refusals may be risked, climb again: between `low` and `high` while they are far
  apart, else by a small step that triples as long as nothing is refused, which finds a limit that has risen. A refusal
  at rest says that the limit has fallen: by a hair if this rate had proved good, else as far as the calls counted say.
"""

from math import ceil, inf, sqrt

from msgspec import Struct

#: Where the search starts when nothing is known, and the first step; and the bounds of every rate.
_START = 1.0
_SLOWEST, _FASTEST = 0.5, 1000.0
#: A rate has passed when so much time went by, and long enough for two calls more than the rate below.
_STAGE_S, _FIRST_STAGE_S, _LONGEST_STAGE_S = 1.2, 3.5, 5.0
_CALLS_MORE = 2.0
#: The rest is so much below a rate that passed, and loses so much by a refusal.
_MARGIN, _LESS = 0.97, 0.97
#: After so many seconds of rest a rate has proved good.
_PROVED_S = 8.0
#: `low` and `high` are far apart beyond this factor; the gap is then climbed in so many steps, after a short rest.
_WIDE, _STEPS, _SHORT_REST_S = 1.12, 6, 2.0
#: Else a climb begins with so much more, and at most one call: limits of a second are whole numbers of calls.
_MORE, _ONE_CALL, _HALF_A_CALL = 0.04, 1.0, 0.5
#: What is refused at the first step tells no more than this; so does what a few calls tell of a limit that fell.
_NEAR, _FOUND = 1.1, 1.15
#: The rest before that: long enough to make the pauses small.
_REST_S, _REST_PER_PAUSE = 30.0, 40.0


class RateSearch(Struct):
    """The rate for limits of about a second: token buckets and short fixed periods. Begin one with `rate_search`.

    Attributes:
        low: the rate to rest at; 0 while none has passed.
        rate: the pace in force, calls per second.
    """

    low: float
    rate: float
    _climbing: bool
    _high: float = inf
    _step: float = _START
    _passed: float = 0.0  # the last stage of this climb that passed
    _stage_at_s: float = -inf
    _left: int = 0  # calls until the stage has passed
    _proved: bool = False
    _rest_from_s: float = -inf
    _climb_at_s: float = -inf
    _cut_at_s: float = -inf
    _pause_s: float = 0.0
    _count: int = 0  # calls that passed since the last refusal
    _named: float = 0.0

    @property
    def learned(self) -> float | None:
        """What is known to pass, calls per second; None while nothing is."""
        return self.low or self._passed or None

    def accepted(self, sent_s: float, now_s: float, *, may_risk: bool) -> None:
        """A call that stood in line was not refused. `may_risk`: another may be."""
        self._count += 1
        if self._climbing:
            self._left -= sent_s >= self._stage_at_s
            if self._left <= 0:
                self._raise(now_s)
        elif self.rate < self.low:
            self._recover(sent_s, now_s)
        else:
            self._proved = self._proved or now_s - self._rest_from_s > _PROVED_S
            if may_risk and now_s >= self._climb_at_s:
                self._climb(now_s)

    def refused(self, now_s: float, pause_s: float) -> None:
        """A call was one too many, and nothing leaves for so long; at most once for the calls of one pace."""
        if self._climbing:
            self._end_climb()
        elif self._proved:
            self._high, self.low, self._proved = self.rate, self.low * _LESS, False
        else:
            self._fall(now_s)
        self._cut(now_s, pause_s)

    def slowed(self, now_s: float) -> None:
        """Answers take twice as long as they used to: the cloud is busy, though it refuses nothing."""
        if self._climbing:
            self._end_climb()
        else:
            self._high, self.low, self._proved = self.rate, self.rate / 2, False
        self._cut(now_s, 0.0)

    def quota_named(self, limit: float) -> None:
        """The cloud has named its limit, calls per second: news are believed; said again, what was refused counts."""
        if limit != self._named or self.low > limit:
            self._named, self.low, self._proved = limit, limit * _MARGIN, True
            self._high = limit
            self.rate = self.low / 2
            self._climb_at_s = max(self._climb_at_s, self._cut_at_s + _REST_S)

    # --- climb --------------------------------------------------------------------------------------------------------

    def _climb(self, now_s: float) -> None:
        if self._wide and self._high < inf:
            self._step = max((self._high - self.low) / _STEPS, min(_HALF_A_CALL, self.low / 4))
        else:
            self._step = max(_MORE * self.low, min(_ONE_CALL, self.low / 2))
            self._high = self.low
        self._climbing, self._passed = True, 0.0
        self._begin_stage(self.low + self._step, now_s)

    def _raise(self, now_s: float) -> None:
        """This rate has passed: try a higher one, by leaps beyond everything that was refused."""
        self._passed = self.rate
        if self.rate >= self._high:
            self._high = inf
        higher = self.rate + self._step
        if self._high == inf:
            higher = min(2 * self.rate, self.low + 3 * (self.rate - self.low), _FASTEST)
        self._step = max(self._step, higher - self.rate)
        self._begin_stage(higher, now_s)

    def _begin_stage(self, rate: float, now_s: float) -> None:
        self.rate, self._stage_at_s = rate, now_s
        self._left = self._stage_calls()

    def _stage_calls(self) -> int:
        shortest_s = _STAGE_S if self.low else _FIRST_STAGE_S
        return max(1, ceil(self.rate * max(shortest_s, min(_LONGEST_STAGE_S, _CALLS_MORE / self._step))))

    def _end_climb(self) -> None:
        """A climb ended in a refusal: rest at the last stage that passed, or where it began."""
        self._high = self.rate
        if self._passed > self.low:
            self.low, self._proved = self._passed * _MARGIN, False
        elif self.low:
            self._high = min(self._high, self.low * _NEAR)
        else:
            self.low = self.rate / 2

    # --- after a refusal ----------------------------------------------------------------------------------------------

    def _fall(self, now_s: float) -> None:
        """The rest was refused before it had proved good.

        Calls over time, with and without the pause, bracket the limit: it is taken to be in between.
        """
        since_s = now_s - self._cut_at_s
        working_s = max(since_s - self._pause_s, 1e-3)
        least, most = (self._count + 1) / since_s, min(self.rate, (self._count + 1) / working_s)
        self.low = min(sqrt(least * max(least, most)), self.low * _LESS, self.rate)
        self._high = max(most, _FOUND * self.low)

    def _cut(self, now_s: float, pause_s: float) -> None:
        self.low = max(self.low, _SLOWEST)
        self.rate = self.low / 2
        self._climbing = False
        self._climb_at_s = now_s + pause_s + (_SHORT_REST_S if self._wide else max(_REST_S, _REST_PER_PAUSE * pause_s))
        self._cut_at_s, self._pause_s, self._count = now_s, pause_s, 0

    def _recover(self, sent_s: float, now_s: float) -> None:
        if sent_s < self._cut_at_s:
            return
        self.rate = min(self.low, self.rate + self.low / 4)
        if self.rate == self.low:
            self._rest_from_s = now_s
            if self._climb_at_s == -inf:  # what was learned before is believed for a while
                self._climb_at_s = now_s + _REST_S

    @property
    def _wide(self) -> bool:
        return self._high > self.low * _WIDE


def rate_search(learned: float | None) -> RateSearch:
    """A search that begins.

    Args:
        learned: what an earlier run found, calls per second; None when nothing is known.
    """
    low = learned or 0.0
    search = RateSearch(low=low, rate=max(_START, low / 2), _climbing=learned is None)
    search._left = search._stage_calls()  # noqa: SLF001
    return search
