"""Windows and freezes of a plan file, by their distance from now."""

from datetime import UTC, datetime, timedelta
from typing import Any


def window(*, opens_in_h: float, hours: float = 1.0) -> dict[str, Any]:
    """A window in UTC that opens so many hours from now, in whole minutes."""
    opens = datetime.now(UTC) + timedelta(hours=opens_in_h)
    return {"from": f"{opens:%H:%M}", "to": f"{opens + timedelta(hours=hours):%H:%M}", "timezone": "UTC"}


def freeze() -> dict[str, Any]:
    """A freeze around today, also where midnight is near."""
    today = datetime.now(UTC).date()
    return {"from": str(today - timedelta(days=1)), "to": str(today + timedelta(days=1)), "timezone": "UTC"}
