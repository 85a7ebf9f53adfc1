"""Where the parts of each chart stand, pure: the template draws them. Lengths are SVG units, 0 to `WIDTH`."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil

from msgspec import Struct

from orchestrator.tracker.report.page.content import Content
from orchestrator.tracker.report.schema import Head, WaveReport

WIDTH = 1000.0
#: Height of the chart of what was in flight.
HEIGHT = 120.0
_STEPS = 240
_MARKS = 120
_BINS = 12
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


class Bar(Struct, frozen=True):
    """A part of a row, or a column of a histogram; `low` and `high` are seconds there."""

    x: float
    width: float
    count: int
    name: str = ""
    low: float = 0.0
    high: float = 0.0


def axis_of(head: Head, found: Content) -> Axis:
    """From the run's begin to the last thing that is known of it."""
    ends = [head.run.ended_at, head.run.hold.at if head.run.hold else None]
    ends += [end or begin for begin, end in found.spans]
    ends += [wave.ended_at or wave.started_at for wave in head.waves]
    return Axis(head.run.started_at, max([head.run.started_at, *(end for end in ends if end)]))


def lanes(head: Head, found: Content, span: Axis) -> list[WaveLane]:
    """A lane for each wave, in order."""
    return [_lane(wave, found, span) for wave in head.waves]


def ticks(span: Axis) -> list[tuple[float, datetime]]:
    """Round instants along the axis, and where they are."""
    minutes = (span.end - span.begin).total_seconds() / 60
    step = next((each for each in _HOURS if minutes / each <= _LABELS), 1440 * ceil(minutes / 1440 / _LABELS))
    day = span.begin.replace(hour=0, minute=0, second=0, microsecond=0)
    first = day + timedelta(minutes=step * ceil((span.begin - day) / timedelta(minutes=step)))
    found = [first + timedelta(minutes=step * number) for number in range(_LABELS + 1)]
    return [(span.x(at), at) for at in found if at <= span.end]


def in_flight(found: Content, span: Axis) -> list[int]:
    """The most upgrades that were under way at once, in each of equal parts of the time."""
    changes = [(begin, 1) for begin, _end in found.spans] + [(end, -1) for _begin, end in found.spans if end]
    changes.sort()
    most, now = [0] * _STEPS, 0
    position = 0
    for at, change in changes:
        step = min(_STEPS - 1, int(span.x(at) / WIDTH * _STEPS))
        while position < step:
            position += 1
            most[position] = now
        now += change
        most[step] = max(most[step], now)
    return most[: position + 1] + [now] * (_STEPS - position - 1)


def area(heights: Sequence[int], top: int) -> str:
    """The points of a stepped area whose highest possible value is `top`."""
    wide = WIDTH / len(heights)
    corners = [f"0,{HEIGHT:g}"]
    for number, height in enumerate(heights):
        y = round(HEIGHT * (1 - height / max(1, top)), 1)
        corners += [f"{number * wide:.1f},{y:g}", f"{(number + 1) * wide:.1f},{y:g}"]
    return " ".join([*corners, f"{WIDTH:g},{HEIGHT:g}"])


def parts(counts: dict[str, int]) -> list[Bar]:
    """A full row, divided by counts."""
    total, x, found = sum(counts.values()), 0.0, []
    for name, count in counts.items():
        width = round(WIDTH * count / total, 1)
        found.append(Bar(round(x, 1), width, count, name))
        x += width
    return found


def histogram(seconds: Sequence[float]) -> list[Bar]:
    """Durations in equal bins, each as tall as `width` of the tallest."""
    if not seconds:
        return []
    low, high = min(seconds), max(seconds)
    wide = max((high - low) / _BINS, 1.0)
    counts = [0] * _BINS
    for each in seconds:
        counts[min(_BINS - 1, int((each - low) / wide))] += 1
    tallest = max(counts)
    bins = [(number, count) for number, count in enumerate(counts) if low + number * wide <= high]
    return [
        Bar(
            number * WIDTH / _BINS,
            round(count / tallest * HEIGHT, 1),
            count,
            low=low + number * wide,
            high=low + (number + 1) * wide,
        )
        for number, count in bins
    ]


def _lane(wave: WaveReport, found: Content, span: Axis) -> WaveLane:
    if wave.started_at is None:
        return WaveLane(wave, 0.0, 0.0, [])
    begin, end = span.x(wave.started_at), span.x(wave.ended_at or span.end)
    places = {(span.x(at), outcome) for at, name, outcome in found.ends if name == wave.name}
    marks = [Dot(x, outcome) for x, outcome in sorted(places)[:_MARKS]]
    return WaveLane(wave, begin, max(2.0, end - begin), marks)
