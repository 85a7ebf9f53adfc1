"""Read scalars from JSON whose types cannot be relied on: the documentation, its examples and the SDK disagree. Pure.

Every function takes whatever stood there and returns the value that was meant, or None; never one beyond its bounds.
"""

import re
from datetime import UTC, datetime
from typing import Any

from orchestrator.model.reply.reply import DAMAGED
from orchestrator.pattern import pattern

#: Longest text that is kept of one field; beyond it a page, not a message or an id.
MAX_TEXT = 4096

#: No count or time of this API needs more, and every program on the way can still hold it.
_LARGEST = 1 << 53

#: Instants that the cloud can mean. What lies outside cannot be read: sums with it would leave the calendar.
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)

_LONGEST_INSTANT = 64

#: A number of this size is milliseconds since 1970, a smaller one seconds.
_MILLISECONDS_FROM = 100_000_000_000

_OFFSET = pattern(r"[_ ]?([+\-_])(\d{2}):?(\d{2})$")


def text(value: Any) -> str | None:
    """A string, word for word; numbers and truth values as JSON writes them; None for null, "" and structures.

    Beyond `MAX_TEXT` it is cut, and ends with `…`, so that no cut id passes for a whole one.
    """
    if isinstance(value, str):
        return _cut(value) or None
    if isinstance(value, bool):
        return "true" if value else "false"
    return _cut(str(value)) if isinstance(value, int | float) else None


def intact(value: Any) -> str | None:
    """As `text`, without space around it; None when a character of it is damaged: what it named is not known."""
    written = (text(value) or "").strip()
    return None if DAMAGED in written else written or None


def _cut(written: str) -> str:
    return written if len(written) <= MAX_TEXT else written[: MAX_TEXT - 1] + "…"


def truth(value: Any) -> bool | None:
    """`true`, `"True"`, `1` and their opposites."""
    if isinstance(value, bool):
        return value
    return {"true": True, "1": True, "false": False, "0": False}.get(str(value).strip().lower())


def integer(value: Any) -> int | None:
    """A whole number, also as text; None for one that no count has."""
    if isinstance(value, bool):
        return None
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if abs(number) <= _LARGEST else None


def objects(value: Any) -> tuple[dict[str, Any], ...]:
    """A list of objects; a single object where a list was declared counts as a list of one."""
    if isinstance(value, dict):
        return (value,)
    return tuple(item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()


def instant(value: Any) -> datetime | None:
    """A point in time, in UTC: ISO 8601 with `+0800`, `+08:00`, `_0800`, `Z` or no offset (UTC), or epoch s or ms.

    The forms are those of the examples in the API's own documentation (ListGaussMySqlInstances has `…49_0800`).
    """
    written = (text(value) or "").strip()
    if not 0 < len(written) <= _LONGEST_INSTANT:
        return None
    number = integer(written)
    try:
        if number is not None:
            seconds = number / 1000 if abs(number) >= _MILLISECONDS_FROM else number
            return believable(datetime.fromtimestamp(seconds, UTC))
        return believable(datetime.fromisoformat(_OFFSET.sub(_offset, written)))
    except (ValueError, OverflowError, OSError):
        return None


def believable(when: datetime) -> datetime | None:
    """An instant in UTC, which it is taken for when it names no zone; None before 1970 and from 2200 on."""
    try:
        utc = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except OverflowError:
        return None
    return utc if _FIRST <= utc < _LAST else None


def _offset(match: re.Match[str]) -> str:
    sign = "+" if match[1] == "_" else match[1]
    return f"{sign}{match[2]}:{match[3]}"
