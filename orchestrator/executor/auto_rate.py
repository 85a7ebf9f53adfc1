"""`rate: auto`: a pacer that finds the rate which the cloud bears. Arithmetic only; who waits is `lanes`' job.

It stands in for a `WindowPacer`, and learns from every answer: `RateSearch` for limits of about a second, and
`QuotaWindows` once a refusal lasts so long that the cloud must be counting in longer periods. What is risked to learn
whether a limit has risen is bounded by a credit, which a small share of the calls that pass earns.
"""

from collections import deque
from math import ceil, inf

from msgspec import Struct

from orchestrator.executor.quota_windows import QuotaWindows
from orchestrator.executor.rate_search import RateSearch

#: Refusals earned by each call that passes, and the most that can be saved; together they stay below 1 % of the calls.
_EARNED = 0.007
_FIRST_CREDIT, _MOST_CREDIT = 2.0, 30.0
_LOOK_EVERY_S = 150.0
#: No limit of a second refuses longer than this.
_LONG_S, _LONG_WAIT_S = 1.2, 2.0
_PERIODS_S = (60.0, 3600.0, 86400.0)
_REMEMBERED = 10_000
_LATE_S = 0.25
_LATENCY_WEIGHT, _LATENCY_RISE, _LATENCY_CLIP = 1 / 16, 2.0, 4.0
_LATENCY_CALLS = 24
_FORGET_S = 600.0
#: The first call after a refusal goes alone for so many latencies, lest others share its fate.
_ALONE = 2.0


class Quota(Struct, frozen=True):
    """A limit in the cloud's own words: so many calls per period."""

    calls: int
    period_s: float


class AutoPacer:
    """When the next request may leave, at a rate found by trial. All instants are monotonic seconds.

    Args:
        learned: the rate that an earlier run found, calls per second; None when there is none.
    """

    def __init__(self, learned: float | None = None) -> None:
        self._search = RateSearch(learned)
        self._windows: QuotaWindows | None = None
        self._latency = LatencyWatch()
        self._credit = _FIRST_CREDIT
        self._held_until = self._due = self._last = self._alone_until = -inf
        self._sent: deque[float] = deque(maxlen=_REMEMBERED)
        self._wanted = False
        self._cut_at = -inf
        self._outage_from: float | None = None
        self._own_count_until = -inf

    @property
    def rate(self) -> float:
        """The pace in force, requests per second."""
        return self._windows.rate if self._windows else self._search.rate

    @property
    def learned(self) -> float | None:
        """What the cloud is known to bear, to be kept for the next run; None while nothing is known."""
        return self._windows.learned if self._windows else self._search.learned

    @property
    def nominal(self) -> float:
        """The rate to state in the report."""
        return self.learned or self.rate

    @property
    def held_until(self) -> float:
        """Nothing leaves before this instant, because the cloud asked for a pause."""
        return self._held_until

    def earliest(self) -> float:
        """The first instant at which a request may leave."""
        earliest = max(self._due, self._held_until, self._alone_until)
        calls = max(1, ceil(self.rate))
        if len(self._sent) >= calls:
            earliest = max(earliest, self._sent[-calls] + calls / self.rate)
        return earliest

    def take(self, now_s: float, *, waited: bool) -> None:
        """A request leaves now. `waited`: it stood in line when its slot came, so lateness is made up."""
        if self._windows:
            self._windows.roll(now_s, self._allowance(now_s))
        earliest = self.earliest()
        base = earliest if waited and earliest > now_s - _LATE_S else now_s
        self._due = base + 1 / self.rate
        if self._last < self._cut_at:
            self._alone_until = now_s + _ALONE * self._latency.typical_s
        self._last, self._wanted = now_s, waited
        self._sent.append(now_s)

    def answered(self, sent_s: float, now_s: float, kind: str = "") -> None:
        """A call was answered, and not refused as one too many. `kind`: calls of a kind take about as long."""
        self._credit = min(_MOST_CREDIT, self._credit + _EARNED)
        if sent_s >= self._cut_at:
            self._outage_from = None
        if self._latency.rising(kind, now_s - sent_s, now_s) and sent_s >= self._cut_at:
            self._slow_down(now_s)
        elif self._windows:
            self._windows.accepted(sent_s, now_s, self._allowance(now_s), wanted=self._wanted)
        elif self._wanted:
            self._search.accepted(sent_s, now_s, self._allowance(now_s))
        self._due = min(self._due, max(self._last, self._held_until) + 1 / self.rate)

    def throttle(
        self, now_s: float, wait_s: float, *, sent_s: float = inf, told: bool = True, quota: Quota | None = None
    ) -> None:
        """The cloud refused a call as one too many.

        Args:
            now_s: when the refusal came.
            wait_s: the pause that the cloud asked for, or that the caller chose.
            sent_s: when the call left; refusals of calls sent before the last decrease are part of what caused it.
            told: whether the cloud named the pause.
            quota: the limit, when the cloud named it.
        """
        self._credit -= 1
        if sent_s >= self._cut_at:
            wait_s = self._decrease(now_s, wait_s, min(sent_s, now_s), told=told, quota=quota)
            self._cut_at = now_s
        elif quota and wait_s == quota.period_s:
            return
        self._held_until = max(self._held_until, now_s + wait_s)
        self._due = max(self._due, self._held_until)

    def _decrease(self, now_s: float, wait_s: float, sent_s: float, *, told: bool, quota: Quota | None) -> float:
        """Draw the conclusions of a new refusal. How long to wait."""
        if quota and wait_s == quota.period_s:
            wait_s = self._own_wait_s(now_s, quota)
        self._outage_from = sent_s if self._outage_from is None else self._outage_from
        self._choose(sent_s, wait_s, told=told, quota=quota)
        if self._windows is None:
            self._search.refused(now_s, wait_s)
            if quota:
                self._search.told(quota.calls / quota.period_s)
            return wait_s
        wait_s = self._windows.refused(sent_s, now_s, wait_s, told=told)
        if quota:
            self._windows.told(quota.calls, quota.period_s)
        return wait_s

    def _choose(self, sent_s: float, wait_s: float, *, told: bool, quota: Quota | None) -> None:
        """Count in periods from now on, if the refusals last too long for anything else; or stop doing so."""
        if self._windows and self._windows.period_s <= _LONG_WAIT_S:
            self._search = RateSearch(self._windows.learned)
            self._windows = None
        outage_s = sent_s - (self._outage_from or sent_s)
        long = quota.period_s > _LONG_WAIT_S if quota else (told and wait_s > _LONG_WAIT_S) or outage_s > _LONG_S
        if self._windows or not long:
            return
        period_s = quota.period_s if quota else next((p for p in _PERIODS_S if told and wait_s <= p), _PERIODS_S[0])
        recent = sum(instant > sent_s - period_s for instant in self._sent) - 1
        self._windows = QuotaWindows(period_s, max(1, recent))

    def _own_wait_s(self, now_s: float, quota: Quota) -> float:
        """How long until the period is over that the last calls filled, if they were all that the cloud counted.

        The first of the calls that filled it is in the period, so this is at most `period_s` from that one. Where
        others use the same limit that is too early; the next refusal then waits the whole period.
        """
        if now_s < self._own_count_until or len(self._sent) < quota.calls:
            return quota.period_s
        wait_s = min(quota.period_s, max(0.05, self._sent[-quota.calls] + quota.period_s - now_s + 0.1))
        self._own_count_until = now_s + wait_s + quota.period_s / 2
        return wait_s

    def _allowance(self, now_s: float) -> float:
        """How many refusals may be risked: what was earned; in debt one at long intervals, so that a rise is seen."""
        return max(self._credit, float(now_s - self._cut_at >= _LOOK_EVERY_S))

    def _slow_down(self, now_s: float) -> None:
        self._cut_at = now_s
        if self._windows:
            self._windows.slowed()
        else:
            self._search.slowed(now_s)


class LatencyWatch:
    """Whether answers take more than twice as long as at their best, smoothed; each kind of call for itself."""

    def __init__(self) -> None:
        self._best: dict[str, tuple[float, float]] = {}
        self._smooth: dict[str, float] = {}
        self._since = 0
        self.typical_s = 0.0

    def rising(self, kind: str, latency_s: float, now_s: float) -> bool:
        """Take in how long a call took; whether to slow down, said once for so many calls.

        The best is forgotten slowly, so that a way that has become longer is accepted in the end.
        """
        smooth = self._smooth.get(kind, latency_s)
        smooth += _LATENCY_WEIGHT * (min(latency_s, _LATENCY_CLIP * smooth) - smooth)
        best, at_s = self._best.get(kind, (inf, now_s))
        best = min(smooth, best * 2 ** ((now_s - at_s) / _FORGET_S))
        self.typical_s = smooth
        self._smooth[kind], self._best[kind] = smooth, (best, now_s)
        self._since += 1
        if smooth <= _LATENCY_RISE * best or self._since < _LATENCY_CALLS:
            return False
        self._since = 0
        return True
