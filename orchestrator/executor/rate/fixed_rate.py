"""How fast: one slot per 1/rate, and no one-second window above the rate. Arithmetic only; who waits is `lanes`' job.

Slots that nobody wanted are gone. The lateness of a request that was waiting is made up, so that a busy loop still
attains the rate, but never by a burst: of the last `k = floor(rate)` requests the first must be `k / rate` old.
After a refusal for too many calls the pace is halved, and grows back by a tenth of the rate every ten seconds.
"""

from collections import deque
from typing import Protocol

from orchestrator.model.reply import Quota

_WINDOW_MAX = 1000
_SLOWEST = 1 / 16
_RECOVERY_STEP = 0.1
_RECOVERY_EVERY_S = 10.0


class Pacer(Protocol):
    """When the next request may leave. All instants are monotonic seconds given by the caller."""

    @property
    def rate(self) -> float:
        """The pace in force, requests per second."""

    @property
    def nominal(self) -> float:
        """The rate that is kept to when nothing is refused, and that the report states."""

    @property
    def learned(self) -> float | None:
        """What the cloud was found to bear, to be kept for the next start; None when nothing was found out."""

    @property
    def held_until(self) -> float:
        """Nothing leaves before this instant, because the cloud asked for a pause."""

    def earliest(self) -> float:
        """The first instant at which a request may leave."""

    def take(self, now_s: float, *, waited: bool) -> None:
        """A request leaves now. `waited`: it stood in line when its slot came, so lateness is made up."""

    def answered(self, sent_s: float, now_s: float, kind: str = "") -> None:
        """A call was answered, and not refused as one too many. `kind`: calls of a kind take about as long."""

    def throttle(
        self,
        now_s: float,
        wait_s: float,
        *,
        sent_s: float | None = None,
        server_named_pause: bool = True,
        quota: Quota | None = None,
    ) -> None:
        """The cloud refused a call as one too many: wait, and go on slower.

        Args:
            now_s: when the refusal came.
            wait_s: the pause that the cloud asked for, or that the caller chose.
            sent_s: when the call left; None for a call that this rate does not count, such as a login.
            server_named_pause: whether the cloud named the pause.
            quota: the limit, when the pause is the period of a limit that the cloud named.
        """


class WindowPacer:
    """When the next request may leave. All instants are monotonic seconds given by the caller.

    Args:
        rate: requests per second, above 0.
    """

    def __init__(self, rate: float) -> None:
        self.nominal = rate
        self.learned: float | None = None  # it is not looked for
        self._factor = 1.0
        self._recovers_at = 0.0
        self._next_at = float("-inf")
        self._held_until = float("-inf")
        self._sent: deque[float] = deque(maxlen=max(1, min(int(rate), _WINDOW_MAX)))

    @property
    def rate(self) -> float:
        """The pace in force, requests per second."""
        return self.nominal * self._factor

    @property
    def held_until(self) -> float:
        """Nothing leaves before this instant, because the cloud asked for a pause."""
        return self._held_until

    def earliest(self) -> float:
        """The first instant at which a request may leave."""
        earliest = max(self._next_at, self._held_until)
        if len(self._sent) == self._sent.maxlen:
            earliest = max(earliest, self._sent[0] + len(self._sent) / self.rate)
        return earliest

    def take(self, now_s: float, *, waited: bool) -> None:
        """A request leaves now. `waited`: it stood in line when its slot came, so lateness is made up."""
        base = self._next_at if waited and self._next_at > now_s - 1.0 else now_s
        self._next_at = base + 1 / self.rate
        self._sent.append(now_s)
        self._recover(now_s)

    def answered(self, sent_s: float, now_s: float, kind: str = "") -> None:
        """Nothing follows: the rate is as the plan says."""

    def throttle(
        self,
        now_s: float,
        wait_s: float,
        *,
        sent_s: float | None = None,
        server_named_pause: bool = True,
        quota: Quota | None = None,
    ) -> None:
        """The cloud refused a call as one too many: wait, then go on at half the pace, whatever it says besides."""
        del sent_s, server_named_pause, quota
        if now_s >= self._held_until:
            self._factor = max(_SLOWEST, self._factor / 2)
        self._held_until = max(self._held_until, now_s + wait_s)
        self._next_at = max(self._next_at, self._held_until)
        self._recovers_at = self._held_until + _RECOVERY_EVERY_S

    def _recover(self, now_s: float) -> None:
        while self._factor < 1.0 and now_s >= self._recovers_at:
            self._factor = min(1.0, self._factor + _RECOVERY_STEP)
            self._recovers_at += _RECOVERY_EVERY_S
