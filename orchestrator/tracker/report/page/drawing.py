"""Where the parts of the timeline stand, pure: the template draws them. Lengths are SVG units, 0 to `WIDTH`."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from math import ceil

from msgspec import Struct

from orchestrator.model.run.night import Period
from orchestrator.tracker.report.page.content import Content
from orchestrator.tracker.report.schema import Head, WaveReport

WIDTH = 1000.0
_MARKS = 120
#: Half as wide as a mark is.
_MARK = 8.0
#: What is true of the whole fleet, from back to front.
_FLEET = ("window closed", "frozen", "held")
_HOURS = (1, 5, 15, 60, 180, 720, 1440)
_LABELS = 6


class Axis(Struct, frozen=True):
    """From where to where a chart goes in time."""

    begin: datetime
    end: datetime

    def x(self, at: datetime) -> float:
        """Where an instant is."""
        part = (at - self.begin) / max(self.end - self.begin, timedelta(seconds=1))
        return round(WIDTH * min(1.0, max(0.0, part)), 1)


class Dot(Struct, frozen=True):
    """A target that did not end well."""

    x: float
    outcome: str


class WaveLane(Struct, frozen=True):
    """A wave in the timeline; no `width` before it opens."""

    wave: WaveReport
    x: float
    width: float
    marks: list[Dot]


class Shade(Struct, frozen=True):
    """A period in a lane."""

    period: Period
    x: float
    width: float


class ScopeLane(Struct, frozen=True):
    """A scope that could not be used at times."""

    name: str
    shades: list[Shade]


def axis_of(head: Head, found: Content, periods: Iterable[Period] = ()) -> Axis:
    """From the run's begin to the last thing that is known of it."""
    ends = [head.run.ended_at, head.run.hold.at if head.run.hold else None]
    ends += [end or begin for begin, end in found.spans]
    ends += [wave.ended_at or wave.started_at for wave in head.waves]
    ends += [period.begin if period.kind != "session" else period.end for period in periods]
    return Axis(head.run.started_at, max([head.run.started_at, *(end for end in ends if end)]))


def lanes(head: Head, found: Content, span: Axis) -> list[WaveLane]:
    """A lane for each wave, in order."""
    return [_lane(wave, found, span) for wave in head.waves]


def fleet_shades(periods: Iterable[Period], span: Axis) -> list[Shade]:
    """When nothing could start anywhere."""
    found = [_shade(period, span) for period in periods if period.kind in _FLEET]
    return sorted(found, key=lambda shade: _FLEET.index(shade.period.kind))


def scope_lanes(periods: Iterable[Period], span: Axis) -> list[ScopeLane]:
    """A lane for each scope that could not be used at some time, by name."""
    lanes_of: dict[str, list[Shade]] = {}
    for period in periods:
        if period.scope is not None:
            lanes_of.setdefault(period.scope, []).append(_shade(period, span))
    return [ScopeLane(scope, shades) for scope, shades in sorted(lanes_of.items())]


def ticks(span: Axis) -> list[tuple[float, datetime]]:
    """Round instants along the axis, and where they are."""
    minutes = (span.end - span.begin).total_seconds() / 60
    step = next((each for each in _HOURS if minutes / each <= _LABELS), 1440 * ceil(minutes / 1440 / _LABELS))
    day = span.begin.replace(hour=0, minute=0, second=0, microsecond=0)
    first = day + timedelta(minutes=step * ceil((span.begin - day) / timedelta(minutes=step)))
    found = [first + timedelta(minutes=step * number) for number in range(_LABELS + 1)]
    return [(span.x(at), at) for at in found if at <= span.end]


def _shade(period: Period, span: Axis) -> Shade:
    begin, end = span.x(period.begin), span.x(period.end or span.end)
    return Shade(period, begin, round(max(1.5, end - begin), 1))


def _inside(x: float) -> float:
    """Where a mark is seen whole."""
    return min(max(x, _MARK), WIDTH - _MARK)


def _lane(wave: WaveReport, found: Content, span: Axis) -> WaveLane:
    if wave.started_at is None:
        return WaveLane(wave, 0.0, 0.0, [])
    begin, end = span.x(wave.started_at), span.x(wave.ended_at or span.end)
    places = {(_inside(span.x(at)), outcome) for at, name, outcome in found.ends if name == wave.name}
    marks = [Dot(x, outcome) for x, outcome in sorted(places)[:_MARKS]]
    return WaveLane(wave, begin, max(2.0, end - begin), marks)
