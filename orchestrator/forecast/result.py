"""What a rehearsal tells of its run: when each wave began and ended, in which nights, and what held it up when."""

from datetime import date, datetime, timedelta

import msgspec

from orchestrator.executor.decide.opening.calendar import opening
from orchestrator.model.plan.plan import Plan

_HALF_A_DAY = timedelta(hours=12)


class WaveSpan(msgspec.Struct):
    """When a wave's first upgrade started and its last target was settled, in seconds from the start of the run."""

    starts_s: float | None = None
    ends_s: float | None = None


class Rehearsal(msgspec.Struct):
    """How a run went.

    Attributes:
        ends_s: when the last target was settled.
        calls: of any kind.
        peak: most targets in flight at once.
        starts_s: when each upgrade started, in order.
        nights: openings in which something started.
        spans: what held the run up, and from when on.
        unfinished: why not everything was settled; None when it was.
    """

    waves: dict[str, WaveSpan]
    ends_s: float = 0.0
    calls: int = 0
    peak: int = 0
    starts_s: list[float] = []
    nights: int = 0
    spans: list[tuple[float, str]] = []
    unfinished: str | None = None

    def sent(self, wave: str, now_s: float, in_flight: int) -> None:
        """An upgrade of the wave started."""
        span = self.waves[wave]
        if span.starts_s is None:
            span.starts_s = now_s
        self.peak = max(self.peak, in_flight)
        self.starts_s.append(now_s)

    def settled(self, wave: str, now_s: float) -> None:
        """A target of the wave has its outcome."""
        self.waves[wave].ends_s = self.ends_s = now_s

    def held_up(self, now_s: float, by: str) -> None:
        """From now on this keeps more from starting."""
        if not self.spans or self.spans[-1][1] != by:
            self.spans.append((now_s, by))


class Nights:
    """Counts the openings in which something starts; asked in the order of time."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._closes: datetime | None = None
        self._day: date | None = None
        self.count = 0

    def start(self, now: datetime) -> None:
        """Something starts now."""
        windows = self._plan.windows
        if windows == "instance":
            # Every instance has its own; a night is then what lies between two noons of UTC.
            day = (now - _HALF_A_DAY).date()
            self.count += day != self._day
            self._day = day
        elif windows and (self._closes is None or now >= self._closes):
            self._closes = opening(windows, self._plan.freezes, now).until
            self.count += 1
