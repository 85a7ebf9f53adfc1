"""What processes share that use one rate: the pacer itself, and beside it who uses it. A value that lies in a place."""

from math import inf
from typing import TypeAlias

from msgspec import Struct, field

from orchestrator.executor.rate.auto_rate import AutoPacer
from orchestrator.executor.rate.fixed_rate import WindowPacer

AnyPacer: TypeAlias = WindowPacer | AutoPacer

#: Who was not seen for so long uses the rate no more: its number does not bind, and nobody lets it go first.
_IN_USE_S = 5.0
#: Then it is forgotten; so are the oldest of more than these.
_REMEMBERED_S, _MOST_USERS = 3600.0, 64
#: Who had the last slot lets those who wait go first: it comes so much later, but no more than a share of a slot.
_GRACE_S, _GRACE = 0.02, 0.25
#: No instant is later than now, or hardly, for another process may have looked at its clock a moment later; no pause
#: is longer.
_AHEAD_S, _LONGEST_PAUSE_S = 1.0, 3601.0


class User(Struct):
    """A process that uses the rate.

    Attributes:
        rate: calls per second as its plan has it; None when it is to be found out.
        seen_s: when it last asked for a slot.
        took_s: when it last got one.
        waits: whether it was told to come back.
    """

    rate: float | None
    seen_s: float = -inf
    took_s: float = -inf
    waits: bool = False


class Shared(Struct):
    """What lies in the place. All instants are monotonic seconds, which all processes of a machine count alike."""

    pacer: AnyPacer
    users: dict[str, User] = field(default_factory=dict)

    def plausible(self, now_s: float) -> bool:
        """Whether a process of this machine, since its last start, can have left it. Not a number is not plausible.

        Of the calls the last decides: to look at thousands for each slot would cost a millisecond.
        """
        instants = [*self.pacer.sent[-1:], *(max(user.seen_s, user.took_s) for user in self.users.values())]
        past = all(instant <= now_s + _AHEAD_S for instant in instants)
        return past and self.pacer.held_until <= now_s + _LONGEST_PAUSE_S

    def in_use(self, now_s: float) -> dict[str, User]:
        """Who uses the rate at this time."""
        return {name: user for name, user in self.users.items() if now_s - user.seen_s < _IN_USE_S}

    def forget(self, now_s: float) -> None:
        """Those that were not seen for long, for they died."""
        newest = sorted(self.users.items(), key=lambda item: item[1].seen_s)[-_MOST_USERS:]
        self.users = {name: user for name, user in newest if now_s - user.seen_s < _REMEMBERED_S}

    def claim(self, name: str, now_s: float, *, waited: bool) -> float:
        """As `Pacer.claim`, for one of the users."""
        user = self.users[name]
        delay_s = self.pacer.earliest() + self._grace_s(name, now_s) - now_s
        user.waits = delay_s > 0
        if user.waits:
            return delay_s
        user.took_s = now_s
        self.pacer.take(now_s, waited=waited)
        return 0.0

    def _grace_s(self, name: str, now_s: float) -> float:
        """How much later than others this one comes."""
        mine = (self.users[name].took_s, name)
        before = sum(user.waits and (user.took_s, other) < mine for other, user in self.in_use(now_s).items())
        return before * min(_GRACE_S, _GRACE / self.pacer.rate)
