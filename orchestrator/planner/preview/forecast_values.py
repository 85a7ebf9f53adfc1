"""What a rehearsal of the run says of it: when each wave starts and ends, how sure that is, and what holds it up."""

from datetime import datetime

from msgspec import Struct


class Range(Struct, frozen=True, kw_only=True):
    """A number that is not known exactly: a twentieth of the runs stays below p5, a twentieth exceeds p95.

    `p50` is that of the typical run, of which all instants are told too.
    """

    p5: float
    p50: float
    p95: float


class WaveTimes(Struct, frozen=True, kw_only=True):
    """When a wave's first upgrade starts and its last target is settled; None when it sends nothing.

    Attributes:
        starts_at: of a typical run, as are all instants here.
        starts_s: seconds from the start of the run.
        limited_by: what kept more from starting for the largest part of it; None when nothing did.
    """

    name: str
    starts_at: datetime | None
    ends_at: datetime | None
    starts_s: Range | None
    ends_s: Range | None
    limited_by: str | None = None


class Stretch(Struct, frozen=True, kw_only=True):
    """A stretch of a typical run, and what keeps more from starting in it."""

    starts_at: datetime
    ends_at: datetime
    limited_by: str


class Change(Struct, frozen=True, kw_only=True):
    """One key of the plan with another value, and how long a typical run then takes."""

    key: str
    value: str
    duration_s: float


class Bound(Struct, frozen=True, kw_only=True):
    """From when on the first session starts nothing, how many upgrades start before, and how many there are."""

    at: datetime
    starts: Range
    of: int


class Rehearsed(Struct, frozen=True, kw_only=True):
    """The forecast.

    Attributes:
        starts_at: when the run was taken to begin.
        timezone: the one in which people think of this plan: of its windows.
        samples: how many runs were rehearsed, each with other durations.
        learned_from: upgrades of this fleet that said how long one takes; 0: only the plan's `follow.expected` did.
        typical_s: how long an upgrade was taken to last, on average.
        ends_at: of a typical run.
        nights: openings of windows in which something starts; None without windows.
        one_night: the smallest single change with which one is enough; None when one is, or no such change was found.
        approves: waves that wait for a person; that wait is not in the numbers.
        unfinished: why a typical run cannot come to its end by itself; None when it can.
        limited_by: what kept more from starting for the largest part of a typical run; None when nothing did.
        bound: how far the first session comes; None without `--until` and `--max-duration`. The rest of the forecast is
            of a run without it.
    """

    starts_at: datetime
    timezone: str
    samples: int
    learned_from: int
    typical_s: float
    duration_s: Range
    ends_at: datetime
    waves: tuple[WaveTimes, ...]
    nights: Range | None
    calls: Range
    peak_in_flight: int
    phases: tuple[Stretch, ...]
    one_night: Change | None
    approves: tuple[str, ...]
    unfinished: str | None
    limited_by: str | None = None
    bound: Bound | None = None
