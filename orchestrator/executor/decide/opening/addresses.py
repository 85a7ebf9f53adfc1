"""Whether a subnet has the addresses that an upgrade needs, by its latest reading, and what follows. Pure.

What a reading shows is free beside what upgrades of ours have taken by then: both together bear what is under way now.
One that began just before it may not have taken its addresses yet, so less may be borne: what earlier readings showed.
One that had ended by then, as it turned out later, had given them back: they are among the free ones.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from orchestrator.executor.decide.actions import Action, Ending, Finish, WaitUntil
from orchestrator.executor.decide.bench import SUBNET
from orchestrator.executor.decide.opening.readings import due_at, is_old, next_reading
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.executor.decide.waits import Cause, Wait
from orchestrator.model.plan.target import Target
from orchestrator.model.record.capacity import subnet_of
from orchestrator.model.record.moment import Moment
from orchestrator.spoken import counted


def applies(rollout: Rollout, target: Target) -> bool:
    """Whether free addresses bound the start of a target: its subnet is known, and its scope may ask for them."""
    if rollout.plan.capacity is None or rollout.only_accepted or subnet_of(target) is None:
        return False
    return target.scope not in rollout.run.capacity_denied


def awaited_subnet(rollout: Rollout, target: Target, now: datetime) -> str | None:
    """The subnet that a target waits for; None also when it is hopeless, as it is taken up then, to be deferred."""
    return None if rollout.defers and hopeless(rollout, target, now) else short_subnet(rollout, target, now)


def short_subnet(rollout: Rollout, target: Target, now: datetime) -> str | None:
    """The subnet that bears no upgrade of a target: it has too few addresses, or has to be read first."""
    subnet = subnet_of(target)
    if subnet is None or not applies(rollout, target):
        return None
    if is_old(rollout, (SUBNET, subnet), now):
        return subnet
    left = _left(rollout, subnet, besides=target.proxy_id)
    fits = left is None or rollout.run.addresses(target) <= left
    return None if fits else subnet


def hopeless(rollout: Rollout, target: Target, now: datetime) -> bool:
    """Whether a target was short of addresses for `busy_for`, with nothing of ours under way in its subnet."""
    subnet = subnet_of(target)
    if subnet is None or not applies(rollout, target) or is_old(rollout, (SUBNET, subnet), now):
        return False
    status = rollout.run.subnets.get(subnet)
    if status is None or status.idle_since is None or _held(rollout, subnet, besides=target.proxy_id):
        return False
    left = _left(rollout, subnet, besides=target.proxy_id)
    idle_s = rollout.run.timeline.elapsed_s(status.idle_since, now, target.scope)
    return left is not None and left < rollout.run.addresses(target) and idle_s >= rollout.plan.retry.busy_for_s


def short_action(rollout: Rollout, now: datetime) -> Action | None:
    """Wait for addresses when nothing is under way, but no longer than a session waits for anything.

    None: nothing waits for any, or those that hold them are stuck, which is a person's business.
    """
    actions = [_short_of(rollout, subnet, target, now) for subnet, target in rollout.queue.first_of(SUBNET)]
    known = [action for action in actions if action is not None]
    return next((action for action in known if isinstance(action, WaitUntil)), next(iter(known), None))


def _short_of(rollout: Rollout, subnet: str, target: Target, now: datetime) -> WaitUntil | Finish | None:
    wait, status = subnet_wait(rollout, target), rollout.run.subnets.get(subnet)
    if is_old(rollout, (SUBNET, subnet), now) or status is None:  # what it had before says nothing of now
        return WaitUntil(next_reading(rollout, now), wait)
    if status.idle_since is None:  # what was open at the latest reading has ended since, or is stuck
        stuck = rollout.run.tally.open_subnets.get(subnet)
        return None if stuck else WaitUntil(next_reading(rollout, now), wait)
    if rollout.run.timeline.elapsed_s(status.idle_since, now, target.scope) < rollout.wait_s:
        return WaitUntil(next_reading(rollout, now), wait)
    return Finish(Ending.LATER, str(wait), wait)


def subnet_wait(rollout: Rollout, target: Target) -> Wait:
    """How many addresses a target waits for, or that it is being found out how many there are."""
    subnet = subnet_of(target) or ""
    left = _left(rollout, subnet, besides=target.proxy_id)
    if left is None or due_at(rollout, (SUBNET, subnet)) is None:
        return Wait(Cause.SUBNET, (f"those of subnet {subnet} are being counted",))
    return Wait(Cause.SUBNET, (f"subnet {subnet} has {_had(rollout, left)}, {_needs(rollout, target)} needed",))


def _had(rollout: Rollout, left: int) -> str:
    reserve = 0 if rollout.plan.capacity is None else rollout.plan.capacity.subnet_reserve
    beside = f" beside the {reserve} in reserve" if reserve else ""
    return f"{counted(max(0, left), 'free address', 'free addresses')}{beside}"


def _needs(rollout: Rollout, target: Target) -> str:
    needed = rollout.run.addresses(target)
    least = "" if rollout.run.nodes(target) else "at least "  # its nodes are read just before it is sent
    return f"{least}{needed} {'is' if needed == 1 else 'are'}"


def _left(rollout: Rollout, subnet: str, *, besides: str) -> int | None:
    """How many addresses are left for one more target, without the reserve; None when that was never told."""
    status, capacity = rollout.run.subnets.get(subnet), rollout.plan.capacity
    if status is None or status.free is None or capacity is None:
        return None
    held = dict(_held(rollout, subnet, besides=besides))
    still = (key for key in status.seen if not _had_given_back(rollout, subnet, status.read, key))
    seen = sum(rollout.run.addresses(rollout.run.targets[key]) for key in still)
    return min(status.free + seen, status.bears) - sum(held.values()) - capacity.subnet_reserve


def _had_given_back(rollout: Rollout, subnet: str, read: Moment | None, proxy_id: str) -> bool:
    """Whether a target that was open at a reading turned out to need no addresses by then, or to need none at all."""
    if proxy_id in rollout.run.tally.open_subnets.get(subnet, ()):
        return False
    state = rollout.run.states[proxy_id]
    ends = [job.ended_at for job in state.jobs.values() if job is not None and job.ended_at is not None]
    if read is None or not ends:
        return True
    surely_read = rollout.run.timeline.cloud_time(read, state.target.scope) + timedelta(seconds=read.within_s)
    return max(ends) <= surely_read


def _held(rollout: Rollout, subnet: str, *, besides: str) -> list[tuple[str, int]]:
    """What has begun there, or is about to, with what each needs."""
    return [(key, rollout.run.addresses(rollout.run.targets[key])) for key in _there(rollout, subnet) if key != besides]


def _there(rollout: Rollout, subnet: str) -> Iterator[str]:
    begun = rollout.run.tally.open_subnets.get(subnet, ())
    yield from begun
    yield from (key for key in rollout.queue.starting_subnets.get(subnet, ()) if key not in begun)
