"""How fast: one slot per 1/rate, and no one-second window above the rate. Arithmetic only; who waits is `lanes`' job.

Slots that nobody wanted are gone. The lateness of a request that was waiting is made up, so that a busy loop still
attains the rate, but never by a burst: of the last `k = floor(rate)` requests the first must be `k / rate` old.
After a refusal for too many calls the pace is halved, and grows back by a tenth of the rate every ten seconds.
"""

from collections import deque

_WINDOW_MAX = 1000
_SLOWEST = 1 / 16
_RECOVERY_STEP = 0.1
_RECOVERY_EVERY_S = 10.0


class WindowPacer:
    """When the next request may leave. All instants are monotonic seconds given by the caller.

    Args:
        rate: requests per second, above 0.
    """

    def __init__(self, rate: float) -> None:
        self.nominal = rate
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

    def throttle(self, now_s: float, wait_s: float) -> None:
        """The cloud refused a call as one too many: wait, then go on at half the pace."""
        if now_s >= self._held_until:
            self._factor = max(_SLOWEST, self._factor / 2)
        self._held_until = max(self._held_until, now_s + wait_s)
        self._next_at = max(self._next_at, self._held_until)
        self._recovers_at = self._held_until + _RECOVERY_EVERY_S

    def _recover(self, now_s: float) -> None:
        while self._factor < 1.0 and now_s >= self._recovers_at:
            self._factor = min(1.0, self._factor + _RECOVERY_STEP)
            self._recovers_at += _RECOVERY_EVERY_S
