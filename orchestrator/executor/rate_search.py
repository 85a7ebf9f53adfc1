"""Find and hold the highest rate that the cloud bears, from refusals alone. Arithmetic only.

The limit lies between a rate that passed, `low`, and one that was refused. The search doubles until the first refusal,
then adds slowly from `low` towards what was refused, and rests at `low`. Now and then it probes a little above, adding
ever more while nothing is refused: that finds a limit that has risen. A refusal at rest says that it has fallen.
A refusal halves the rate at once; it is back at `low` a few answers later, as in CUBIC (RFC 9438).
"""

from math import ceil, inf

#: Where the search starts when nothing is known, and the first step.
_START = 1.0
_SLOWEST, _FASTEST = 1 / 60, 1000.0
#: A rate has passed when so much time went by, and long enough for two calls more than the rate below.
_STAGE_S, _FIRST_STAGE_S, _LONGEST_STAGE_S = 1.2, 3.5, 5.0
_CALLS_MORE = 2.0
#: What rests below a rate that passed, and what a refusal at rest takes away.
_MARGIN, _LESS = 0.985, 0.97
_MOST_CAUTION = 0.1
#: Growth at rest, per second, up to just below what was refused; and in how long most of a gap below that is closed.
_CREEP, _CLOSED_S = 0.0003, 45.0
_BELOW_WALL = 0.99
#: A limit that is known within this factor is not looked for; it is probed after a rest that makes the pauses small.
_WIDE, _NEAR = 1.12, 1.1
_WIDE_STEPS = 6
#: What a few calls tell is no nearer than this.
_FOUND = 1.15
#: A probe begins with so much more: limits of a second are whole numbers of calls.
_PROBE, _ONE_MORE = 0.04, 1.0
_SOON_S, _REST_S, _REST_PER_PAUSE = 2.0, 30.0, 40.0
_CONFIRM_S = 8.0
#: So many seconds' earnings may be borrowed to close a wide gap.
_DEBT_PER_RATE, _MOST_DEBT = 0.5, 5.0


class RateSearch:
    """The rate for limits of about a second: token buckets and short fixed periods.

    Args:
        learned: what an earlier run found, calls per second; None when nothing is known.
    """

    def __init__(self, learned: float | None) -> None:
        self.low = learned or 0.0
        self.rate = max(_START, self.low / 2)
        self._high = inf
        self._wall = inf  # refused at rest; creeping stops below it
        self._fallback = 0.0
        self._confirmed = False
        self._probed = False
        self._named, self._caution = 0.0, 1 - _MARGIN
        self._probing = learned is None
        self._step = _START
        self._passed = 0.0
        self._stage_at_s = -inf
        self._left = self._stage_calls()
        self._rest_from_s = self._probe_at_s = self._cut_at_s = -inf
        self._pause_s = 0.0
        self._count = 0

    @property
    def learned(self) -> float | None:
        """What is known to pass, calls per second; None while nothing is."""
        return self.low or self._passed or None

    def accepted(self, sent_s: float, now_s: float, credit: float) -> None:
        """A call that stood in line was not refused. `credit`: how many refusals may be risked."""
        self._count += 1
        if self._probing:
            self._left -= sent_s >= self._stage_at_s
            if self._left <= 0:
                self._raise(now_s)
        elif self.rate < self.low:
            self._recover(now_s)
        else:
            self._rest(now_s, credit)

    def refused(self, now_s: float, pause_s: float) -> None:
        """A call was one too many, and nothing leaves for so long; at most once for the calls of one pace."""
        self._probed = self._probing
        if self._probing:
            self._end_probe()
        elif self._confirmed:
            self._wall = self._high = self.rate
            self.low *= _LESS
            self._confirmed = False
        else:
            self._fall(now_s)
        self._cut(now_s, pause_s)

    def slowed(self, now_s: float) -> None:
        """Answers take twice as long as they used to: the cloud is busy, though it refuses nothing."""
        if self._probing:
            self._end_probe()
        else:
            self._high, self.low, self._fallback, self._confirmed = self.rate, self.rate / 2, 0.0, False
        self._cut(now_s, 0.0)

    def told(self, limit: float) -> None:
        """The cloud has named its limit, calls per second. What was refused below it stays refused."""
        if self._named == limit and not self._probed:
            self._caution = min(_MOST_CAUTION, self._caution + 1 - _MARGIN)
        elif self._named != limit:
            self._named, self._caution = limit, 1 - _MARGIN
        self.low, self._high, self._wall = limit * (1 - self._caution), limit, inf
        self._fallback, self._confirmed = 0.0, True
        self.rate = self.low / 2
        self._probe_at_s = max(self._probe_at_s, self._cut_at_s + _REST_S)

    def _stage_calls(self) -> int:
        shortest_s = _STAGE_S if self.low else _FIRST_STAGE_S
        return max(1, ceil(self.rate * max(shortest_s, min(_LONGEST_STAGE_S, _CALLS_MORE / self._step))))

    def _raise(self, now_s: float) -> None:
        """This rate has passed: try a higher one, by leaps beyond everything that was refused."""
        self._passed = self.rate
        if self.rate >= self._high:
            self._high = inf
        if self._high == inf:
            self.rate = min(2 * self.rate, self.low + 3 * (self.rate - self.low), _FASTEST)
        else:
            self.rate += self._step
        self._step = max(self._step, self.rate - self._passed)
        self._stage_at_s = now_s
        self._left = self._stage_calls()

    def _recover(self, now_s: float) -> None:
        self.rate = min(self.low, self.rate + self.low / 4)
        if self.rate == self.low:
            self._rest_from_s = now_s

    def _rest(self, now_s: float, credit: float) -> None:
        self._creep(credit)
        if not self._confirmed and now_s - self._rest_from_s > _CONFIRM_S:
            self._confirmed, self._fallback = True, self.low
        debt = min(_MOST_DEBT, _DEBT_PER_RATE * self.low) if self._wide else 0.0
        if credit >= 1 - debt and now_s >= self._probe_at_s:
            self._probe(now_s)

    def _creep(self, credit: float) -> None:
        """Add slowly: faster in a gap, and hardly at all where a refusal is near."""
        gap = 0.0 if self._wall == inf else self._wall * _LESS / self.rate - 1
        if self.rate < self._wall * _BELOW_WALL and (gap > 0 or credit >= 0):
            self.low = self.rate = self.rate * (1 + max(_CREEP, gap / _CLOSED_S) / self.rate)

    @property
    def _wide(self) -> bool:
        return self._high > self.low * _WIDE

    def _probe(self, now_s: float) -> None:
        if self._wide and self._high < inf:
            self._step = (self._high - self.low) / _WIDE_STEPS
        else:
            self._step = max(_PROBE * self.low, min(_ONE_MORE, self.low / 2))
            self._high = self.low
        self._probing, self._passed = True, 0.0
        self.rate = self.low + self._step
        self._stage_at_s = now_s
        self._left = self._stage_calls()

    def _end_probe(self) -> None:
        """A probe ended in a refusal: rest at the last rate that passed, or where it began."""
        high = self.rate
        if self._passed > self.low:
            self._fallback = self.low or self._passed / 2
            self.low, self._wall = self._passed * _MARGIN, self.rate
            self._confirmed = False
        elif not self.low:
            self.low = self.rate / 2
        else:
            high = min(high, self.low * _NEAR)
            self._wall = min(self.rate, self._wall * 1.003)
        self._high = high

    def _fall(self, now_s: float) -> None:
        """The rest was refused before it had proved good.

        Calls over time, with and without the pause, bracket the limit.
        """
        since_s = now_s - self._cut_at_s
        known = self._fallback if self._fallback < self.low else 0.0
        low = max(known, (self._count + 1) / since_s)
        self.low = min(low, self.low * _LESS, self.rate)
        self._fallback = 0.0
        working_s = max(since_s - self._pause_s, 1e-3)
        self._high = self._wall = max(min(self.rate, (self._count + 1) / working_s), _FOUND * self.low)

    def _cut(self, now_s: float, pause_s: float) -> None:
        self.low = max(self.low, _SLOWEST)
        self.rate = self.low / 2
        self._probing = False
        rest_s = _SOON_S if self._wide else max(_REST_S, _REST_PER_PAUSE * pause_s)
        self._probe_at_s = now_s + pause_s + rest_s
        self._cut_at_s, self._pause_s, self._count = now_s, pause_s, 0
