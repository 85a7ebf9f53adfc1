"""What every record of the journal has."""

from datetime import datetime

from msgspec import Struct

#: Fields that tie records together. Their words are the plan's and our own, which hold no secret, and a key that is
#: changed would tie a record to nothing: they are never searched for secrets.
KEYS = frozenset({"target", "step", "wave", "waves", "scope", "gate", "token"})


class Clocks(Struct, frozen=True, kw_only=True):
    """What the clocks showed at a record that time is counted from, or that waited for time to pass.

    Attributes:
        monotonic_s: of the process; it says nothing in another session.
        cloud_at: the cloud's time, by the `Date` of its answers; None when it sent none. It was at least that …
        within_s: … and at most so much later: a `Date` has whole seconds, and an answer takes its time.
    """

    monotonic_s: float
    cloud_at: datetime | None = None
    within_s: float = 1.0


def _snake(name: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name).lstrip("_")


class Base(Struct, frozen=True, kw_only=True, tag_field="record", tag=_snake):
    """What every record has: its instant, and the target, step and attempt that it belongs to."""

    at: datetime
    target: str | None = None
    step: str = "run"
    attempt: int = 0
