"""Where the parts of each chart over time stand, and the numbers of the table under it. Pure, as `drawing`."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from msgspec import Struct

from orchestrator.model.run.night import CallsMade
from orchestrator.tracker.report.page.content import Content
from orchestrator.tracker.report.page.drawing import WIDTH, Axis

#: Height of a chart.
HEIGHT = 120.0
_STEPS = 240
_BINS = 12
#: Rows of a table under a chart.
_ROWS = 24


class Bar(Struct, frozen=True):
    """A column of a histogram: so many durations from `low` to `high` seconds."""

    x: float
    width: float
    height: float
    count: int
    low: float
    high: float


class Chart(Struct, frozen=True):
    """Something over time, against what was allowed.

    Attributes:
        area: points of the area.
        limit: points of the line that it may not pass; empty where none is known or it is far above.
        top: what the full height means.
        most: the highest point.
        allowed: the highest that was allowed; None where nothing is known.
        least: the lowest that was allowed.
        rows: of the table: from when, the most from then on, what was allowed.
    """

    area: str
    limit: str
    top: float
    most: float
    allowed: float | None
    least: float | None
    rows: list[tuple[datetime, float, float | None]]


def in_flight_chart(found: Content, span: Axis, planned: int, changes: Sequence[tuple[datetime, int]] = ()) -> Chart:
    """Upgrades under way.

    Args:
        found: the targets.
        span: from when to when.
        planned: how many the plan allows.
        changes: how many were allowed from when on, where that is known.
    """
    allowed = [float(changes[0][1] if changes else planned)] * _STEPS
    for at, limit in changes:
        step = _step(span, at)
        allowed[step:] = [float(limit)] * (_STEPS - step)
    return _chart(in_flight(found, span), allowed, span)


def calls_chart(made: Sequence[CallsMade], span: Axis) -> Chart:
    """Calls per second of one scope."""
    rates, allowed = [0.0] * _STEPS, list[float | None]([None] * _STEPS)
    for each in made:
        rate = _rate(each)
        for step in range(_step(span, each.begin), _step(span, each.end) + 1):
            rates[step] = max(rates[step], rate)
            allowed[step] = each.allowed
    return _chart(rates, allowed, span)


def _rate(each: CallsMade) -> float:
    """Calls per second between two instants: so many calls are one gap fewer, which is all that a limit promises."""
    seconds = max((each.end - each.begin).total_seconds(), 0.001)
    rate, gaps = each.calls / seconds, (each.calls - 1) / seconds
    return round(rate if each.allowed is None or gaps > each.allowed else min(rate, each.allowed), 2)


def _step(span: Axis, at: datetime) -> int:
    return min(_STEPS - 1, int(span.x(at) / WIDTH * _STEPS))


def _chart(heights: Sequence[float], allowed: Sequence[float | None], span: Axis) -> Chart:
    most = max(heights)
    line = [limit for limit in allowed if limit is not None]
    near = bool(line) and max(line) <= max(5 * most, 10)
    top = max(most, max(line, default=0.0)) * 1.05 if near else most
    drawn = _line(allowed, top) if near else ""
    rows = _rows(heights, allowed, span)
    return Chart(area(heights, top), drawn, top, most, max(line, default=None), min(line, default=None), rows)


def _rows(
    heights: Sequence[float], allowed: Sequence[float | None], span: Axis
) -> list[tuple[datetime, float, float | None]]:
    each, length = _STEPS // _ROWS, (span.end - span.begin) / _ROWS
    return [
        (span.begin + length * row, max(heights[row * each : (row + 1) * each]), allowed[(row + 1) * each - 1])
        for row in range(_ROWS)
    ]


def _line(allowed: Sequence[float | None], top: float) -> str:
    """Steps, with a gap where nothing is known."""
    wide, found, step, before = WIDTH / len(allowed), list[str](), 0, None
    for limit, same in groupby(allowed):
        steps = len(list(same))
        if limit is not None:
            y = f"{_y(limit, top):g}"
            found.append(f"{f'M{step * wide:.1f},{y}' if before is None else f'V{y}'}h{steps * wide:.1f}")
        step, before = step + steps, limit
    return " ".join(found)


def _y(height: float, top: float) -> float:
    return round(HEIGHT * (1 - height / (top or 1)), 1)


def in_flight(found: Content, span: Axis) -> list[int]:
    """The most upgrades that were under way at once, in each of equal parts of the time."""
    changes = [(begin, 1) for begin, _end in found.spans] + [(end, -1) for _begin, end in found.spans if end]
    changes.sort()
    most, now = [0] * _STEPS, 0
    position = 0
    for at, change in changes:
        step = _step(span, at)
        while position < step:
            position += 1
            most[position] = now
        now += change
        most[step] = max(most[step], now)
    return most[: position + 1] + [now] * (_STEPS - position - 1)


def area(heights: Sequence[float], top: float) -> str:
    """The points of a stepped area whose highest possible value is `top`."""
    wide = WIDTH / len(heights)
    corners = [f"0,{HEIGHT:g}"]
    for number, height in enumerate(heights):
        y = _y(height, top)
        corners += [f"{number * wide:.1f},{y:g}", f"{(number + 1) * wide:.1f},{y:g}"]
    return " ".join([*corners, f"{WIDTH:g},{HEIGHT:g}"])


def histogram(seconds: Sequence[float]) -> list[Bar]:
    """Durations in equal bins."""
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
            round(number * WIDTH / len(bins), 1),
            round(WIDTH / len(bins), 1),
            round(count / tallest * HEIGHT, 1),
            count,
            low=low + number * wide,
            high=low + (number + 1) * wide,
        )
        for number, count in bins
    ]
