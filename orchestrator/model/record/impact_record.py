"""Records of what was measured of the proxies, and of what could not be."""

from datetime import datetime
from typing import TypeAlias

from orchestrator.model.record.record_base import Base

#: The minute, as the whole number of grains since 1970; connections, response time in ms, queries per second. None for
#: what the cloud did not tell.
Sample: TypeAlias = tuple[int, float | None, float | None, float | None]


class ImpactSampled(Base, frozen=True, kw_only=True):
    """What was measured of a proxy before, during and after its upgrade.

    Attributes:
        began: when its upgrade was accepted, by the cloud's time.
        ended: when it was settled, likewise.
        grain_s: length of a minute; shorter where a simulated cloud is hastened.
        samples: the minutes of which something is known, in order.
        missing: why later minutes are not among them; empty when all were asked for.
    """

    step: str = "impact"
    began: datetime
    ended: datetime
    grain_s: float
    samples: tuple[Sample, ...]
    missing: str = ""


class MetricsMissing(Base, frozen=True, kw_only=True):
    """Metrics of a scope cannot be read in this session; all that needs them goes on without.

    Attributes:
        why: in words, with the permission that is needed where that is the reason.
    """

    step: str = "impact"
    scope: str
    why: str

    @property
    def words(self) -> str:
        """The same for people."""
        return f"scope {self.scope}: goes on without metrics of its proxies: {self.why}"
