"""Read scalars from JSON whose types cannot be relied on: the documentation, its examples and the SDK disagree. Pure.

Every function takes whatever stood there and returns the value that was meant, or None.
"""

import re
from datetime import UTC, datetime
from typing import Any

#: A number of this size is milliseconds since 1970, a smaller one seconds.
_MILLISECONDS_FROM = 100_000_000_000

_OFFSET = re.compile(r"[_ ]?([+-_])(\d{2}):?(\d{2})$")


def text(value: Any) -> str | None:
    """A string, word for word; numbers and truth values as JSON writes them; None for null, "" and structures."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else None


def truth(value: Any) -> bool | None:
    """`true`, `"True"`, `1` and their opposites."""
    if isinstance(value, bool):
        return value
    return {"true": True, "1": True, "false": False, "0": False}.get(str(value).strip().lower())


def integer(value: Any) -> int | None:
    """A whole number, also as text."""
    if isinstance(value, bool):
        return None
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None


def objects(value: Any) -> tuple[dict[str, Any], ...]:
    """A list of objects; a single object where a list was declared counts as a list of one."""
    if isinstance(value, dict):
        return (value,)
    return tuple(item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()


def instant(value: Any) -> datetime | None:
    """A point in time, in UTC: ISO 8601 with `+0800`, `+08:00`, `_0800`, `Z` or no offset (UTC), or epoch s or ms.

    The forms are those of the examples in the API's own documentation (ListGaussMySqlInstances has `…49_0800`).
    """
    written = text(value)
    if written is None:
        return None
    number = integer(written)
    try:
        if number is not None:
            return datetime.fromtimestamp(number / 1000 if abs(number) >= _MILLISECONDS_FROM else number, UTC)
        iso = _OFFSET.sub(_offset, written.strip())
        parsed = datetime.fromisoformat(iso)
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _offset(match: re.Match[str]) -> str:
    sign = "+" if match[1] == "_" else match[1]
    return f"{sign}{match[2]}:{match[3]}"
