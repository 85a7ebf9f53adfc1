"""What the cloud itself is going to do to instances."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct

#: Whether targets wait while the cloud is about to do something to their instances.
CloudEvents: TypeAlias = Literal["wait", "off"]


class CloudEvent(Struct, frozen=True, kw_only=True):
    """Something that the cloud does to an instance at a time of its own.

    Attributes:
        instance_id: as the cloud writes it.
        what: such as `db_upgrade`, or the name of a task that the console has scheduled.
        starts: when, in the cloud's time; None when that is not known.
        ends: None when that is not known.
        running: it has begun.
    """

    instance_id: str
    what: str
    starts: datetime | None = None
    ends: datetime | None = None
    running: bool = False


def events_missing(scope: str, why: str) -> str:
    """The line that says what of the cloud's own events a run goes on without."""
    return f"the cloud's own events of scope {scope} are not all looked at: {why}"


def by_instance(events: Iterable[CloudEvent]) -> Mapping[str, tuple[CloudEvent, ...]]:
    """The events of each instance, whatever the case of its id."""
    found: dict[str, tuple[CloudEvent, ...]] = {}
    for event in events:
        key = event.instance_id.lower()
        found[key] = (*found.get(key, ()), event)
    return found
