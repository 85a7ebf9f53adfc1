"""When upgrades may start: windows and freezes, turned into instants. Pure; the present comes in as a parameter.

A window is the time from the first moment of its opening day at which the local clock shows `from` or later, to the
first moment at which it shows `to` or later. So a time that a change to summer time skips means the moment of the
change, and a time that comes twice means its first coming.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

import msgspec

from orchestrator.model.plan.plan import Freeze, Window

_DAY = timedelta(days=1)
_DAY_MINUTES = 24 * 60

#: No window is looked for further ahead than this; a freeze may be long.
_HORIZON_DAYS = 800


class Span(msgspec.Struct, frozen=True):
    """A stretch of time, `start` included, `end` not."""

    start: datetime
    end: datetime

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end


class Opening(msgspec.Struct, frozen=True):
    """What the calendar says of an instant.

    Attributes:
        open: upgrades may start.
        until: end of this state: when the window closes, or when it opens; None for never.
        why: why it is closed, for people.
    """

    open: bool
    until: datetime | None = None
    why: str = ""


ALWAYS = Opening(open=True)


def opening(windows: Sequence[Window], freezes: Sequence[Freeze], now: datetime) -> Opening:
    """Whether upgrades may start now, and until when that holds.

    Args:
        windows: any of them open is enough; none at all means always.
        freezes: any of them in force closes.
        now: aware.
    """
    return _opening(tuple(windows), tuple(freezes), now.replace(second=0, microsecond=0))


def next_freeze(freezes: Sequence[Freeze], now: datetime) -> datetime | None:
    """When the next freeze begins; None when none is to come. One that is in force has begun."""
    return min((start for each in freezes if (start := _frozen_span(each).start) > now), default=None)


def windows_open(windows: Sequence[Window], instant: datetime) -> list[Span]:
    """Each window that is open at an instant, from its opening to its closing."""
    return [span for window in windows for span in _around(window, instant) if instant in span]


def whole_day(instant: datetime, zone: tzinfo) -> Span:
    """The calendar day of a zone that an instant is in."""
    today = instant.astimezone(zone).date()
    return Span(_instant(today, 0, zone), _instant(today + _DAY, 0, zone))


@lru_cache(maxsize=1024)
def _opening(windows: tuple[Window, ...], freezes: tuple[Freeze, ...], now: datetime) -> Opening:
    """The same at a whole minute; windows, freezes and changes of the clock begin and end at no other instant."""
    frozen = [_frozen_span(freeze) for freeze in freezes]
    if _covering(frozen, now) or (windows and not _open_span(windows, now)):
        opens = _next_opening(windows, frozen, now)
        return Opening(open=False, until=opens, why=_closed_words(windows, frozen, now))
    return Opening(open=True, until=_next_closing(windows, frozen, now))


def instance_window(text: str | None) -> tuple[Window, ...]:
    """An instance's own maintenance window, such as `18:00-22:00` in UTC; empty when it cannot be read."""
    try:
        start, end = (text or "").split("-")
        return (Window(opens=_minutes(start), closes=_minutes(end), timezone="UTC"),)
    except ValueError:
        return ()


def _minutes(text: str) -> int:
    hours, minutes = text.strip().split(":")
    total = int(hours) * 60 + int(minutes)
    if not 0 <= total <= _DAY_MINUTES:
        raise ValueError(f"not a time of day: {text}")
    return total % _DAY_MINUTES


def _next_opening(windows: Sequence[Window], frozen: Sequence[Span], now: datetime) -> datetime | None:
    """The first instant from now on at which something may start."""
    instant = now
    for _ in range(2 * len(frozen) + 2):
        if freeze := _covering(frozen, instant):
            instant = freeze.end
            continue
        if not windows or _open_span(windows, instant):
            return instant
        start = min((span.start for span in _upcoming(windows, instant)), default=None)
        if start is None:
            return None
        instant = start
    return instant if not _covering(frozen, instant) else None


def _next_closing(windows: Sequence[Window], frozen: Sequence[Span], now: datetime) -> datetime | None:
    """When the present opening ends; windows that touch or overlap count as one."""
    end = min((span.start for span in frozen if span.start > now), default=None)
    if not windows:
        return end
    closes = now
    while (span := _open_span(windows, closes)) is not None and span.end > closes:
        closes = span.end
        if closes - now > timedelta(days=8):
            return end
    return closes if end is None else min(end, closes)


def _covering(spans: Sequence[Span], instant: datetime) -> Span | None:
    return next((span for span in spans if instant in span), None)


def _open_span(windows: Sequence[Window], instant: datetime) -> Span | None:
    """Of the spans that hold the instant, the one that ends last."""
    return max(windows_open(windows, instant), key=lambda span: span.end, default=None)


def _upcoming(windows: Sequence[Window], instant: datetime) -> Iterator[Span]:
    """The next span of each window."""
    for window in windows:
        day = instant.astimezone(_zone(window.timezone)).date() - _DAY
        for _ in range(_HORIZON_DAYS):
            span = _span(window, day)
            if span is not None and span.start >= instant:
                yield span
                break
            day += _DAY


def _around(window: Window, instant: datetime) -> Iterator[Span]:
    today = instant.astimezone(_zone(window.timezone)).date()
    for day in (today - _DAY, today, today + _DAY):
        span = _span(window, day)
        if span is not None:
            yield span


def _span(window: Window, day: date) -> Span | None:
    if day.weekday() not in window.days:
        return None
    closing_day = day if window.closes > window.opens else day + _DAY
    zone = _zone(window.timezone)
    return Span(_instant(day, window.opens, zone), _instant(closing_day, window.closes, zone))


def _frozen_span(freeze: Freeze) -> Span:
    zone = _zone(freeze.timezone)
    return Span(
        _instant(date.fromisoformat(freeze.start), 0, zone), _instant(date.fromisoformat(freeze.end) + _DAY, 0, zone)
    )


@lru_cache(maxsize=4096)
def _instant(day: date, minutes: int, zone: tzinfo) -> datetime:
    """The first instant at which the clock of a place shows this time of this day, or a later one."""
    wall = datetime.combine(day, time(minutes // 60, minutes % 60), tzinfo=zone)
    instant = wall.astimezone(UTC)
    if instant.astimezone(wall.tzinfo).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return instant
    return _change_between(wall.replace(fold=1).astimezone(UTC), instant, zone)


def _change_between(low: datetime, high: datetime, zone: tzinfo) -> datetime:
    """The instant between two at which the zone's offset changes."""
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def _zone(name: str) -> tzinfo:
    from zoneinfo import ZoneInfo  # noqa: PLC0415  # only where there are windows

    return ZoneInfo(name)


def _closed_words(windows: Sequence[Window], frozen: Sequence[Span], now: datetime) -> str:
    if _covering(frozen, now):
        return "frozen"
    zone = windows[0].timezone if windows else "UTC"
    opens = _next_opening(windows, frozen, now)
    if opens is None:
        return "no window opens any more"
    return f"window opens {opens.astimezone(_zone(zone)):%a %Y-%m-%d %H:%M} {zone}"
