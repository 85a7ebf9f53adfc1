"""How long upgrades may take, as far as is known: what the fleet has seen, else what the plan says, and the doubt."""

from collections.abc import Callable, Sequence
from math import exp, log, sqrt
from random import Random
from statistics import NormalDist, fmean, pstdev

import msgspec

#: From so many durations on they are their own distribution; fewer only say how long an upgrade takes on average.
_ENOUGH = 20

#: How far single upgrades scatter when too few were seen: the standard deviation of the logarithm.
_SCATTER = 0.25

#: How far the average of a whole run may be off when none was seen, likewise.
_UNKNOWN = 0.10

#: How far it may be off whatever was seen: the fleet, the kernel and the load change from one run to the next.
_DRIFT = 0.04


class Knowledge(msgspec.Struct, frozen=True):
    """What is known of the durations to come.

    Attributes:
        expected_s: what the plan says.
        longest_s: what takes longer is no upgrade that ends well.
        seen: durations of earlier upgrades of the fleet, sorted.
    """

    expected_s: float
    longest_s: float
    seen: Sequence[float] = ()

    @property
    def typical_s(self) -> float:
        """The average duration."""
        return fmean(self.seen) if self.seen else self.expected_s

    @property
    def doubt(self) -> float:
        """How far the average may be off: the standard deviation of its logarithm."""
        if not self.seen:
            return _UNKNOWN
        scatter = pstdev(self.seen) / self.typical_s if self._enough and self.typical_s else _SCATTER
        return min(_UNKNOWN, sqrt(_DRIFT**2 + scatter**2 / len(self.seen)))

    def sampler(self, level: float, seed: int) -> Callable[[], float]:
        """Draws durations, in seconds, of a run whose average is at this level of what is thought possible.

        Args:
            level: 0.5 for an average as expected, 0.95 for one that only every twentieth run exceeds.
            seed: the durations follow from it.
        """
        shift, random = exp(NormalDist().inv_cdf(level) * self.doubt), Random(seed)  # noqa: S311  # no secret
        if self._enough:
            return lambda: min(self.longest_s, shift * random.choice(self.seen))
        centre = log(max(1e-6, shift * self.typical_s)) - _SCATTER**2 / 2
        return lambda: min(self.longest_s, random.lognormvariate(centre, _SCATTER))

    @property
    def _enough(self) -> bool:
        return len(self.seen) >= _ENOUGH
