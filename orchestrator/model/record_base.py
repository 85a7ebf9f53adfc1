"""What every record of the journal has."""

from datetime import datetime

from msgspec import Struct


def _snake(name: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name).lstrip("_")


class Base(Struct, frozen=True, kw_only=True, tag_field="record", tag=_snake):
    """What every record has: its instant, and the target, step and attempt that it belongs to."""

    at: datetime
    target: str | None = None
    step: str = "run"
    attempt: int = 0
