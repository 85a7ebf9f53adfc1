"""When a session stops starting: `--until`, an instant of the calendar, and `--max-duration`, a time. Pure."""

import re
from datetime import UTC, datetime, timedelta

from orchestrator.errors import UsageError
from orchestrator.planner.plan_file.names import YEARS
from orchestrator.planner.plan_file.numbers import duration

_CLOCK_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_DURATION = duration("0s", "366d")


def start_bound(until: str | None, now: datetime) -> datetime | None:
    """`--until` as an instant of the calendar; None without it.

    Raises:
        UsageError: it cannot be read.
    """
    return None if until is None else _until(until, now)


def longest_s(max_duration: str | None) -> float | None:
    """`--max-duration` in seconds, which no clock shortens or stretches; None without it.

    Raises:
        UsageError: it cannot be read.
    """
    return None if max_duration is None else seconds(max_duration, "--max-duration")


def seconds(text: str, option: str) -> float:
    """A duration with its unit, such as `50m`, as a plan has them.

    Raises:
        UsageError: it is none, or longer than a year.
    """
    try:
        return float(_DURATION.parse(text.strip()))
    except ValueError as error:
        raise UsageError(f"{option}: {str(error) or 'expected a duration such as 50m'}, got {text!r}") from None


def _until(text: str, now: datetime) -> datetime:
    if match := _CLOCK_TIME.fullmatch(text):
        today = now.replace(hour=int(match[1]), minute=int(match[2]), second=0, microsecond=0)
        return today if today > now else today + timedelta(days=1)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--until: expected HH:MM (UTC) or an RFC 3339 instant, got {text!r}") from None
    if instant.tzinfo is None:
        raise UsageError(f"--until: {text!r} has no offset; write {text}Z, or another offset")
    if instant.year not in YEARS:
        raise UsageError(f"--until: expected an instant of the years {YEARS[0]} to {YEARS[-1]}, got {text!r}")
    return instant.astimezone(UTC)
