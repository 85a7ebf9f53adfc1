"""How fast: one slot per 1/rate, and no one-second window above the rate. Arithmetic only; who waits is `lanes`' job.

Slots that nobody wanted are gone. The lateness of a request that was waiting is made up, so that a busy loop still
attains the rate, but never by a burst: of the last `k = floor(rate)` requests the first must be `k / rate` old.
After a refusal for too many calls the pace is halved, and grows back by a tenth of the rate every ten seconds.
"""

from array import array
from math import inf

from msgspec import Struct, field

from orchestrator.executor.rate.pacer import Claiming, Sent, no_calls
from orchestrator.model.reply.reply import Quota

_WINDOW_MAX = 1000
_SLOWEST = 1 / 16
_RECOVERY_STEP = 0.1
_RECOVERY_EVERY_S = 10.0


class WindowPacer(Claiming, Struct, tag="fixed"):
    """When the next request may leave; a `Pacer`. All instants are monotonic seconds given by the caller.

    Args:
        nominal: requests per second, above 0; may change at any time.
    """

    nominal: float
    _factor: float = 1.0
    _recovers_at: float = 0.0
    _next_at: float = -inf
    _held_until: float = -inf
    _sent: Sent = field(default_factory=no_calls)

    @property
    def rate(self) -> float:
        """The pace in force, requests per second."""
        return self.nominal * self._factor

    @property
    def learned(self) -> float | None:
        """Nothing: it is not looked for."""
        return None

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
        earliest = max(self._next_at, self._held_until)
        calls = self._window
        if len(self._sent) >= calls:
            earliest = max(earliest, self._sent[-calls] + calls / self.rate)
        return earliest

    def take(self, now_s: float, *, waited: bool) -> None:
        """A request leaves now. `waited`: it stood in line when its slot came, so lateness is made up."""
        base = self._next_at if waited and self._next_at > now_s - 1.0 else now_s
        self._next_at = base + 1 / self.rate
        self._note(max(now_s, self._sent[-1] if self._sent else now_s))  # after what is reserved: they stay in order
        self._recover(now_s)

    def reserve(self, now_s: float, most: int, until_s: float) -> int:
        """Take further slots to be used by an instant, at which they count as used; returns how many there are.

        There are none once half of the calls that a window may hold have left in it, or are reserved.
        """
        half = self._window // 2
        busy = half == 0 or (len(self._sent) >= half and self._sent[-half] + self._window / self.rate > now_s)
        count = 0 if busy else min(most, half, int((until_s - now_s) * self.rate))
        self._next_at += count / self.rate
        self._note(until_s, count)
        return count

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

    def succeed(self, sent: Sent, held_until: float) -> None:
        """Go on where another pacer was: its last calls count, and so does the pause."""
        self._sent, self._held_until = array("d", sent), held_until
        self._next_at = sent[-1] + 1 / self.rate if sent else -inf

    @property
    def _window(self) -> int:
        """Of so many calls the first must be so many slots old."""
        return max(1, min(int(self.nominal), _WINDOW_MAX))

    def _note(self, instant_s: float, count: int = 1) -> None:
        self._sent.extend([instant_s] * count)
        del self._sent[: -self._window]

    def _recover(self, now_s: float) -> None:
        while self._factor < 1.0 and now_s >= self._recovers_at:
            self._factor = min(1.0, self._factor + _RECOVERY_STEP)
            self._recovers_at += _RECOVERY_EVERY_S
