"""`rate: auto`: a pacer that finds the rate which the cloud bears. Arithmetic only; who waits is `lanes`' job.

It stands in for a `WindowPacer`, and learns from every answer. Four parts, each with one idea:

- `RateSearch`: limits of about a second. Between a rate that passed and one that was refused, closing in.
- `QuotaWindows`: once refusals last so long that the cloud must be counting in longer periods, such as minutes: the
  calls that passed in a whole period are the limit.
- `RiskCredit`: to learn that a limit has risen one must risk a refusal. The calls that pass earn the right to, so that
  refusals stay below the larger of 1 % and one in five minutes.
- `LatencyWatch`: a cloud that is overloaded and refuses nothing answers ever more slowly.
"""

from array import array
from math import ceil, inf

from msgspec import Struct, field

from orchestrator.executor.rate.latency_watch import LatencyWatch
from orchestrator.executor.rate.pacer import Claiming, Sent, no_calls
from orchestrator.executor.rate.quota_windows import QuotaWindows, quota_windows
from orchestrator.executor.rate.rate_search import RateSearch, rate_search
from orchestrator.executor.rate.risk_credit import RiskCredit
from orchestrator.model.reply.reply import Quota

#: It never goes slower, unless the cloud names a lower limit: a cloud that refuses at random would bring it to a stop.
_SLOWEST = 0.5
#: No limit of a second refuses longer than this.
_LONG_S, _LONG_WAIT_S = 1.2, 2.0
_PERIODS_S = (60.0, 3600.0, 86400.0)
_REMEMBERED = 4_096
_LATE_S = 0.25
#: The first call after a refusal goes alone for so many latencies, so that others do not share its fate.
_ALONE = 2.0


class AutoPacer(Claiming, Struct, tag="auto"):
    """When the next request may leave, at a rate found by trial; a `Pacer`. All instants are monotonic seconds.

    No window of a second holds more than the rate, as with every pacer. It grows only while callers stand in line:
    slots that nobody wants prove nothing. Begin one with `auto_pacer`.
    """

    _search: RateSearch
    _windows: QuotaWindows | None = None
    _latency: LatencyWatch = field(default_factory=LatencyWatch)
    _credit: RiskCredit = field(default_factory=RiskCredit)
    _held_until: float = -inf
    _due: float = -inf
    _last: float = -inf
    _alone_until: float = -inf
    _sent: Sent = field(default_factory=no_calls)
    _wanted: bool = False
    _cut_at: float = -inf
    _slowest: float = _SLOWEST
    _outage_from: float | None = None
    _own_count_until: float = -inf

    @property
    def rate(self) -> float:
        """The pace in force, requests per second."""
        return max(self._slowest, self._windows.rate if self._windows else self._search.rate)

    @property
    def learned(self) -> float | None:
        """What the cloud is known to bear, to be kept for the next run; None while nothing is known.

        Not less than it goes at: of a long pause alone nobody knows how many calls the period bears.
        """
        learned = self._windows.learned if self._windows else self._search.learned
        return None if learned is None else _plain(max(self._slowest, learned))

    @property
    def nominal(self) -> float:
        """The rate to state in the report."""
        return self.learned or _plain(self.rate)

    @property
    def sent(self) -> Sent:
        """When the last calls left, as many as matter."""
        return self._sent

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
            self._windows.roll(now_s, may_risk=self._may_risk(now_s))
        earliest = self.earliest()
        base = earliest if waited and earliest > now_s - _LATE_S else now_s
        self._due = base + 1 / self.rate
        if self._last < self._cut_at:
            self._alone_until = now_s + _ALONE * self._latency.typical_s
        self._last, self._wanted = now_s, waited
        self._sent.append(now_s)
        del self._sent[:-_REMEMBERED]

    def answered(self, sent_s: float, now_s: float, kind: str = "") -> None:
        """A call was answered, and not refused as one too many. `kind`: calls of a kind take about as long."""
        self._credit.earn(now_s)
        if sent_s >= self._cut_at:
            self._outage_from = None
        rising = self._latency.rising(kind, now_s - sent_s, now_s) if kind else False
        if rising and self._wanted and sent_s >= self._cut_at:
            self._slow_down(now_s)
        elif self._windows:
            self._windows.accepted(sent_s, now_s, wanted=self._wanted, may_risk=self._may_risk(now_s))
        elif self._wanted:
            self._search.accepted(sent_s, now_s, may_risk=self._may_risk(now_s))
        self._due = min(self._due, max(self._last, self._held_until) + 1 / self.rate)

    def throttle(
        self,
        now_s: float,
        wait_s: float,
        *,
        sent_s: float | None = None,
        server_named_pause: bool = True,
        quota: Quota | None = None,
    ) -> None:
        """The cloud refused a call as one too many. Arguments as of `Pacer.throttle`.

        Refusals of calls sent before the last decrease are part of what caused it, and decrease nothing.
        """
        if sent_s is not None:
            self._credit.spend()
            self._slowest = min(_SLOWEST, quota.calls / quota.period_s / 2) if quota else self._slowest
            if sent_s >= self._cut_at:
                wait_s = self._decrease(now_s, wait_s, sent_s, server_named_pause=server_named_pause, quota=quota)
                self._cut_at = now_s
            elif quota and wait_s == quota.period_s:
                return
        self._held_until = max(self._held_until, now_s + wait_s)
        self._due = max(self._due, self._held_until)

    def succeed(self, sent: Sent, held_until: float) -> None:
        """Go on where another pacer was: its last calls count, and so does the pause."""
        self._sent, self._held_until = array("d", sent), held_until
        self._due = sent[-1] + 1 / self.rate if sent else -inf

    def _decrease(
        self, now_s: float, wait_s: float, sent_s: float, *, server_named_pause: bool, quota: Quota | None
    ) -> float:
        """Draw the conclusions of a new refusal. How long to wait."""
        if quota and wait_s == quota.period_s:
            wait_s = self._own_wait_s(now_s, quota)
        self._outage_from = sent_s if self._outage_from is None else self._outage_from
        self._choose(sent_s, wait_s, server_named_pause=server_named_pause, quota=quota)
        if self._windows is None:
            self._search.refused(now_s, wait_s)
            if quota:
                self._search.quota_named(quota.calls / quota.period_s)
            return wait_s
        wait_s = self._windows.refused(sent_s, now_s, wait_s, server_named_pause=server_named_pause)
        if quota:
            self._windows.quota_named(quota.calls, quota.period_s)
        return wait_s

    def _choose(self, sent_s: float, wait_s: float, *, server_named_pause: bool, quota: Quota | None) -> None:
        """Count in periods from now on, if the refusals last too long for anything else; or stop doing so."""
        if self._windows and self._windows.period_s <= _LONG_WAIT_S:
            self._search = rate_search(self._windows.learned)
            self._windows = None
        outage_s = sent_s - (self._outage_from or sent_s)
        long = (
            quota.period_s > _LONG_WAIT_S
            if quota
            else (server_named_pause and wait_s > _LONG_WAIT_S) or outage_s > _LONG_S
        )
        if self._windows or not long:
            return
        period_s = (
            quota.period_s
            if quota
            else next((p for p in _PERIODS_S if server_named_pause and wait_s <= p), _PERIODS_S[0])
        )
        recent = sum(instant > sent_s - period_s for instant in self._sent) - 1
        self._windows = quota_windows(period_s, max(1, recent))

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

    def _may_risk(self, now_s: float) -> bool:
        """Whether one more refusal is within bounds."""
        return self._credit.covers(now_s - self._cut_at)

    def _slow_down(self, now_s: float) -> None:
        self._cut_at = now_s
        if self._windows:
            self._windows.slowed()
        else:
            self._search.slowed(now_s)


def auto_pacer(learned: float | None = None) -> AutoPacer:
    """A pacer that begins to look for the rate.

    Args:
        learned: the rate that an earlier run found, calls per second; None when there is none.
    """
    return AutoPacer(rate_search(learned))


def _plain(rate: float) -> float:
    """So exact that it makes no difference, and never 0: a limit may be one call a day."""
    return float(f"{rate:.4g}")
