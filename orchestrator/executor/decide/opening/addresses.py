"""Whether a subnet has the addresses that an upgrade needs, by its latest reading; when it is read; what follows. Pure.

What a reading shows is free beside what upgrades of ours have taken by then: both together bear what is under way now.
One that began just before it may not have taken its addresses yet, so less may be borne: what earlier readings showed.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from orchestrator.executor.decide.actions import Action, Ending, Finish, ReadSubnet, WaitUntil
from orchestrator.executor.decide.bench import SUBNET
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.executor.decide.waits import Cause, Wait
from orchestrator.model.capacity import subnet_of
from orchestrator.model.target import Target
from orchestrator.spoken import counted

#: A subnet is read no oftener, and what was read counts for so long.
READ_EVERY_S = 60.0

_NEVER = datetime.max.replace(tzinfo=UTC)


def applies(rollout: Rollout, target: Target) -> bool:
    """Whether free addresses bound the start of a target: its subnet is known, and its scope may ask for them."""
    if rollout.plan.capacity is None or rollout.only_accepted or subnet_of(target) is None:
        return False
    return target.scope not in rollout.run.capacity_denied


def short_subnet(rollout: Rollout, target: Target, now: datetime) -> str | None:
    """The subnet that keeps a target from starting: it has too few addresses, or has to be read first."""
    subnet = subnet_of(target)
    if subnet is None or not applies(rollout, target):
        return None
    if due_at(rollout, subnet) is None or _is_old(rollout, subnet, now):
        return subnet
    left = _left(rollout, subnet, besides=target.proxy_id)
    fits = left is None or rollout.run.addresses(target) <= left
    return None if fits or hopeless(rollout, target, now) else subnet


def hopeless(rollout: Rollout, target: Target, now: datetime) -> bool:
    """Whether a target was short of addresses for `busy_for`, with nothing of ours under way in its subnet."""
    subnet = subnet_of(target)
    if subnet is None or not applies(rollout, target) or _is_old(rollout, subnet, now):
        return False
    status = rollout.run.subnets.get(subnet)
    if status is None or status.idle_since is None or _held(rollout, subnet, besides=target.proxy_id):
        return False
    left = _left(rollout, subnet, besides=target.proxy_id)
    idle_s = rollout.run.timeline.elapsed_s(status.idle_since, now, target.scope)
    return left is not None and left < rollout.run.addresses(target) and idle_s >= rollout.plan.retry.busy_for_s


def due_at(rollout: Rollout, subnet: str) -> datetime | None:
    """When a subnet is to be read next; None when that is at once, the end of all time when never."""
    reading = rollout.readings[subnet]
    if reading.kept:
        return _NEVER
    return None if reading.asked_at is None else reading.asked_at + timedelta(seconds=READ_EVERY_S)


def due_reading(rollout: Rollout, now: datetime) -> ReadSubnet | None:
    """A subnet that is to be read now, of those that targets wait for."""
    for subnet, target in rollout.queue.first_of(SUBNET):
        due = due_at(rollout, subnet)
        if not rollout.readings[subnet].asking and (due is None or due <= now):
            return ReadSubnet(target.scope, subnet)
    return None


def next_reading(rollout: Rollout, now: datetime) -> datetime | None:
    """When the next subnet is to be read that targets wait for; None for none."""
    dues = (due_at(rollout, subnet) for subnet, _ in rollout.queue.first_of(SUBNET))
    return min((due for due in dues if due is not None and now < due < _NEVER), default=None)


def short_action(rollout: Rollout, now: datetime) -> Action | None:
    """Wait for addresses when nothing is under way, but no longer than a session waits for anything.

    None: nothing waits for any, or those that hold them are stuck, which is a person's business.
    """
    subnet, target = next(iter(rollout.queue.first_of(SUBNET)), (None, None))
    if subnet is None or target is None:
        return None
    wait, status = subnet_wait(rollout, target), rollout.run.subnets.get(subnet)
    if not rollout.readings[subnet].answered or status is None:
        return WaitUntil(next_reading(rollout, now), wait)
    if status.idle_since is None:
        return None
    if rollout.run.timeline.elapsed_s(status.idle_since, now, target.scope) < rollout.wait_s:
        return WaitUntil(next_reading(rollout, now), wait)
    return Finish(Ending.LATER, str(wait), wait)


def subnet_wait(rollout: Rollout, target: Target) -> Wait:
    """How many addresses a target waits for, or that it is being found out how many there are."""
    subnet = subnet_of(target) or ""
    left = _left(rollout, subnet, besides=target.proxy_id)
    if left is None or due_at(rollout, subnet) is None:
        return Wait(Cause.SUBNET, (f"those of subnet {subnet} are being counted",))
    return Wait(Cause.SUBNET, (f"subnet {subnet} has {_had(rollout, left)}, {_needs(rollout, target)} needed",))


def _had(rollout: Rollout, left: int) -> str:
    reserve = 0 if rollout.plan.capacity is None else rollout.plan.capacity.subnet_reserve
    beside = f" beside the {reserve} in reserve" if reserve else ""
    return f"{counted(max(0, left), 'free address', 'free addresses')}{beside}"


def _needs(rollout: Rollout, target: Target) -> str:
    needed = rollout.run.addresses(target)
    return f"{needed} is" if needed == 1 else f"{needed} are"


def _is_old(rollout: Rollout, subnet: str, now: datetime) -> bool:
    """Whether the latest reading of this session says nothing any more."""
    reading, due = rollout.readings[subnet], due_at(rollout, subnet)
    return due is None or due <= now or (reading.asking and not reading.answered)


def _left(rollout: Rollout, subnet: str, *, besides: str) -> int | None:
    """How many addresses are left for one more target, without the reserve; None when that was never told."""
    status, capacity = rollout.run.subnets.get(subnet), rollout.plan.capacity
    if status is None or status.free is None or capacity is None:
        return None
    held = dict(_held(rollout, subnet, besides=besides))
    seen = sum(rollout.run.addresses(rollout.run.targets[key]) for key in status.seen)
    return min(status.free + seen, status.bears) - sum(held.values()) - capacity.subnet_reserve


def _held(rollout: Rollout, subnet: str, *, besides: str) -> list[tuple[str, int]]:
    """What has begun there, or is about to, with what each needs."""
    return [(key, rollout.run.addresses(rollout.run.targets[key])) for key in _there(rollout, subnet) if key != besides]


def _there(rollout: Rollout, subnet: str) -> Iterator[str]:
    begun = rollout.run.tally.open_subnets.get(subnet, ())
    yield from begun
    yield from (key for key in rollout.queue.starting_subnets.get(subnet, ()) if key not in begun)
