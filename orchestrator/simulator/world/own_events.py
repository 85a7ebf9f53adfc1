"""What the cloud does to instances at times of its own: on which, from when until when."""

from collections.abc import Iterator
from math import inf

import msgspec

from orchestrator.simulator.chance import below, between, unit
from orchestrator.simulator.profile_events import Events, EventType, ScriptedEvent
from orchestrator.simulator.world.world import Instance, World

_TYPES: tuple[EventType, ...] = ("db_upgrade", "rebuild_node", "high_cpu_memory")


class OwnEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event: on which instance, from when until when, and from when on the list shows it."""

    instance: Instance
    type: EventType
    starts: float
    ends: float
    dated: bool
    listed_from: float

    def status(self, t: float) -> str:
        """As the list says it at an instant."""
        if t >= self.ends:
            return "completed"
        return "executing" if t >= self.starts else "scheduled"


def own_events(world: World, events: Events, *, seed: int, speed: float, began: float) -> Iterator[OwnEvent]:
    """All events of one cloud, those of the script first."""
    instances = {key: each for project in world.projects.values() for key, each in project.instances.items()}
    scripted = (each for each in events.script if each.instance_id in instances)
    by_chance = (_drawn(events, seed, key) for key in instances if unit(seed, "event", key) < events.share)
    for each in (*scripted, *by_chance):
        starts = began + each.at_s / speed
        yield OwnEvent(
            instance=instances[each.instance_id],
            type=each.type,
            starts=starts,
            ends=inf if each.duration_s is None else starts + each.duration_s / speed,
            dated=each.dated,
            listed_from=-inf if each.listed_s is None else starts - each.listed_s / speed,
        )


def _drawn(events: Events, seed: int, instance_id: str) -> ScriptedEvent:
    return ScriptedEvent(
        instance_id=instance_id,
        type=_TYPES[below(len(_TYPES), seed, "event_type", instance_id)],
        at_s=between(events.from_s, seed, "event_at", instance_id),
        duration_s=between(events.for_s, seed, "event_for", instance_id),
        dated=unit(seed, "event_undated", instance_id) >= events.undated,
        listed_s=0.0 if unit(seed, "event_sudden", instance_id) < events.sudden else None,
    )
