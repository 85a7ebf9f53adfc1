"""When a session stops starting: `--until`, an instant of the calendar, and `--max-duration`, a time. Pure."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NamedTuple

from orchestrator.errors import UsageError
from orchestrator.pattern import pattern
from orchestrator.planner.plan_file.names import YEARS
from orchestrator.planner.plan_file.numbers import duration
from orchestrator.planner.reading.yaml_problems import look_alike

_CLOCK_TIME = pattern(r"([01][0-9]|2[0-3]):([0-5][0-9])(?: +(\S{1,64}))?")
_DURATION = duration("0s", "366d")
_STOP_STARTS = "name a time such as 50m; to let nothing start, use `orchestrator hold`"


class Bounds(NamedTuple):
    """When a session stops starting.

    Attributes:
        until: at this instant, see `start_bound`; None for no bound.
        longest_s: when it has lasted so long; None for no bound.
        wait_s: how far away an opening may be to be waited for.
    """

    until: datetime | None
    longest_s: float | None
    wait_s: float


def start_bound(until: str | None, now: datetime) -> datetime | None:
    """`--until` as an instant of the calendar, in the zone it was written in; None without it.

    `HH:MM` is the next such time by the host's local clock, `HH:MM ZONE` by that zone's, as its rules have it that day:
    a time that is left out when summer time begins is that much later.

    Raises:
        UsageError: it cannot be read, or has passed: nothing would start, in this session and every one like it.
    """
    if until is None:
        return None
    instant = _until(until, now)
    if instant <= now:
        passed = f"--until: {until} has passed, so nothing would start; it is {now:%Y-%m-%dT%H:%M:%SZ} now"
        raise UsageError(
            passed, hint="name an instant to come, or a time of day such as 05:00, which means the next one"
        )
    return instant


def longest_s(max_duration: str | None) -> float | None:
    """`--max-duration` in seconds, which no clock shortens or stretches; None without it.

    Raises:
        UsageError: it cannot be read, or leaves no time in which something could start.
    """
    if max_duration is None:
        return None
    longest = seconds(max_duration, "--max-duration")
    if not longest:
        raise UsageError(f"--max-duration: {max_duration} leaves no time, so nothing would start", hint=_STOP_STARTS)
    return longest


def seconds(text: str, option: str) -> float:
    """A duration with its unit, such as `50m`, as a plan has them.

    Raises:
        UsageError: it is none, or longer than a year.
    """
    try:
        return float(_DURATION.parse(text.strip()))
    except ValueError as error:
        expected = str(error) or "expected a duration such as 50m"
        raise UsageError(f"{option}: {expected}, got {text!r}{look_alike(text)}") from None


def spoken_bound(instant: datetime) -> str:
    """The instant from which nothing starts, in its own zone, and in UTC where that is another."""
    in_utc = f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    here = f"{instant:%Y-%m-%d %H:%M %Z}"
    return f"nothing starts from {here} on" + ("" if here == in_utc else f" ({in_utc})")


def _until(text: str, now: datetime) -> datetime:
    if match := _CLOCK_TIME.fullmatch(text):
        return _next(time(int(match[1]), int(match[2])), now, _zone(match[3]))
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"--until: expected HH:MM, perhaps with a time zone such as Asia/Shanghai, or RFC 3339, got {text!r}"
            f"{look_alike(text)}"
        ) from None
    if instant.tzinfo is None:
        raise UsageError(f"--until: {text!r} has no offset; write {instant.isoformat()}Z, or another offset")
    if instant.year not in YEARS:
        raise UsageError(f"--until: expected an instant of the years {YEARS[0]} to {YEARS[-1]}, got {text!r}")
    return instant


def _zone(name: str | None) -> tzinfo | None:
    """A time zone by its name; None is the host's own."""
    if name is None:
        return None
    from zoneinfo import ZoneInfo  # noqa: PLC0415  # hardly anybody names one

    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # KeyError: ZoneInfoNotFoundError
        raise UsageError(f"--until: there is no time zone {name!r}; write one such as Asia/Shanghai or UTC") from None


def _next(wanted: time, now: datetime, zone: tzinfo | None) -> datetime:
    today = now.astimezone(zone).date()
    first = _on(today, wanted, zone)
    return first if first > now else _on(today + timedelta(days=1), wanted, zone)


def _on(day: date, wanted: time, zone: tzinfo | None) -> datetime:
    local = datetime.combine(day, wanted, zone)
    # By way of UTC: `astimezone` alone would move a host time that summer time leaves out to an hour earlier.
    return datetime.fromtimestamp(local.timestamp(), UTC).astimezone(zone)
