"""What is read of the cloud again and again while targets wait for it: addresses of subnets, its own events. Pure."""

from datetime import UTC, datetime, timedelta
from math import inf

from orchestrator.executor.decide.actions import ReadCloud
from orchestrator.executor.decide.bench import EVENTS, SUBNET, Block
from orchestrator.executor.decide.rollout import Rollout

#: Nothing is read oftener, and what was read counts for so long; at very low rates, for the time of some calls: the
#: reading itself takes a few, and so does what is read of a target before it starts.
READ_EVERY_S = {SUBNET: 60.0, EVENTS: 300.0}
_READ_EVERY_CALLS = 10

NEVER = datetime.max.replace(tzinfo=UTC)


def due_at(rollout: Rollout, block: Block) -> datetime | None:
    """When something is to be read next; None when that is at once, the end of all time when never."""
    reading = rollout.readings[block]
    if reading.kept:
        return NEVER
    return None if reading.asked_at is None else reading.asked_at + _lasts(rollout, block)


def is_old(rollout: Rollout, block: Block, now: datetime) -> bool:
    """Whether the latest reading of this session says nothing any more."""
    reading = rollout.readings[block]
    if reading.kept:
        return False
    return reading.read_at is None or reading.read_at + _lasts(rollout, block) <= now


def _lasts(rollout: Rollout, block: Block) -> timedelta:
    """For how long a reading counts from its beginning on, and how long after it the next one is made."""
    scope = rollout.readings[block].scope
    rate = inf if scope is None else rollout.scope_rates[scope]
    return timedelta(seconds=max(READ_EVERY_S[block[0]], _READ_EVERY_CALLS / rate))


def due_reading(rollout: Rollout, now: datetime) -> ReadCloud | None:
    """What is to be read now, of that which targets wait for."""
    for kind in READ_EVERY_S:
        for value, target in rollout.queue.first_of(kind):
            due = due_at(rollout, (kind, value))
            if not rollout.readings[kind, value].asking and (due is None or due <= now):
                return ReadCloud(target.scope, (kind, value))
    return None


def next_reading(rollout: Rollout, now: datetime) -> datetime | None:
    """When the next thing is to be read that targets wait for; None for none."""
    waited = [(kind, value) for kind in READ_EVERY_S for value, _ in rollout.queue.first_of(kind)]
    dues = (due_at(rollout, block) for block in waited)
    return min((due for due in dues if due is not None and now < due < NEVER), default=None)
