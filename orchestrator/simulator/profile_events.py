"""What a profile says of the cloud's own events; and the amounts that all of a profile is made of."""

from typing import Annotated, Literal

import msgspec

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Seconds = Annotated[float, msgspec.Meta(ge=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]
Span = tuple[Seconds, Seconds]

EventType = Literal["db_upgrade", "rebuild_node", "high_cpu_memory"]


class ScriptedEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An event of the cloud's own on an instance, from `at_s` after the beginning; without `duration_s`, without end.

    `dated`: whether the list says when. `listed_s`: in the list only from so long before it begins; None for always.
    """

    instance_id: str
    type: EventType = "db_upgrade"
    at_s: float = 0.0
    duration_s: Seconds | None = 1800.0
    dated: bool = True
    listed_s: Seconds | None = None


class Events(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the cloud does to instances at times of its own, and what is wrong with the list of it.

    Attributes:
        share: of instances with an event; `from_s` after the beginning, for `for_s`.
        undated, sudden: shares of these events: the list says no time; it shows them only once they have begun.
        denied: nobody may ask for the list; `absent`: the region does not offer it.
    """

    share: Share = 0.0
    from_s: Span = (0.0, 7200.0)
    for_s: Span = (600.0, 3600.0)
    undated: Share = 0.0
    sudden: Share = 0.0
    denied: bool = False
    absent: bool = False
    script: tuple[ScriptedEvent, ...] = ()
