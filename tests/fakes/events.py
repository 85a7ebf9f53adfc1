"""Random events of the cloud's own."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from orchestrator.model.reply.cloud_event import CloudEvent


def some_events(random: Random, instances: Sequence[str], now: datetime) -> list[CloudEvent]:
    """None in two plans of three; else one of nearly every third instance, in the two days that begin at an instant."""
    if random.random() >= 1 / 3:
        return []
    return [_event(random, instance, now) for instance in sorted(instances) if random.random() < 0.3]


def _event(random: Random, instance: str, now: datetime) -> CloudEvent:
    starts = now + timedelta(hours=random.choice((0.2, 0.9, 1.2, 3.0, 30.0)))
    lasts_h = random.choice((None, 0.5, 4.0))
    return CloudEvent(
        instance_id=random.choice((instance, instance.upper())),
        what=random.choice(("db_upgrade", "rebuild_node")),
        starts=starts,
        ends=None if lasts_h is None else starts + timedelta(hours=lasts_h),
    )
