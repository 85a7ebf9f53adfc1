"""When a session stops starting: `--until` and `--max-duration`, as one instant. Pure."""

import re
from datetime import UTC, datetime, timedelta

from orchestrator.errors import UsageError

_CLOCK_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def start_bound(until: str | None, max_duration: str | None, now: datetime) -> datetime | None:
    """The earlier of both bounds; None without any.

    Raises:
        UsageError: an option cannot be read.
    """
    bounds = []
    if until is not None:
        bounds.append(_until(until, now))
    if max_duration is not None:
        bounds.append(now + timedelta(seconds=seconds(max_duration, "--max-duration")))
    return min(bounds, default=None)


def seconds(text: str, option: str) -> float:
    """A duration with its unit, such as `50m`.

    Raises:
        UsageError: it is none.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{option}: expected a duration such as 50m, got {text!r}")
    return float(match[1]) * _UNITS_S[match[2]]


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
    return instant.astimezone(UTC)
