"""The wall clock of the host: wrong from the beginning, set while the fleet is upgraded, or too fast."""

from dataclasses import dataclass
from random import Random

_MINUTE_S, _HOUR_S, _DAY_S = 60.0, 3600.0, 24 * 3600.0

#: How far somebody sets a clock: longer than every doubt period, shorter, and so little that nobody would notice.
STEPS_S = (2 * _DAY_S, _HOUR_S, 5 * _MINUTE_S, 90.0, 20.0, -20.0, -90.0, -10 * _MINUTE_S, -2 * _HOUR_S)

#: Seconds a second.
_DRIFTS = (0.0, 0.0, 0.0005, -0.0005, 0.01)


@dataclass(frozen=True)
class HostClock:
    """How far the wall clock is ahead of the right time.

    Attributes:
        wrong_s: from the beginning.
        steps: when it is set, in seconds from the beginning, and by how much.
        drift: by how much it gains, in seconds a second.
    """

    wrong_s: float = 0.0
    steps: tuple[tuple[float, float], ...] = ()
    drift: float = 0.0

    def ahead_s(self, now_s: float) -> float:
        """At a right instant."""
        return self.wrong_s + sum(by_s for at_s, by_s in self.steps if at_s <= now_s) + self.drift * now_s

    def steps_within(self, from_s: float, to_s: float) -> int:
        """How often it is set between two instants."""
        return sum(from_s < at_s <= to_s for at_s, _ in self.steps)


RIGHT = HostClock()


def random_clock(chance: Random) -> HostClock:
    """In one of three trials the clock is wrong."""
    if chance.random() < 2 / 3:
        return RIGHT
    steps = ((chance.uniform(0.0, 900.0), chance.choice(STEPS_S)) for _ in range(chance.choice((0, 1, 1, 2, 4))))
    return HostClock(
        wrong_s=chance.choice((0.0, 0.0, 40.0, -40.0, 3 * _HOUR_S, -_DAY_S)),
        steps=tuple(sorted(steps)),
        drift=chance.choice(_DRIFTS),
    )
