"""What keeps one target from starting, though there is room in the fleet. Pure."""

from datetime import datetime, timedelta

from orchestrator.executor.decide.bench import GATE, SUBNET, Block, Later
from orchestrator.executor.decide.limits import target_block
from orchestrator.executor.decide.opening.addresses import awaited_subnet
from orchestrator.executor.decide.opening.cloud_events import unread_events
from orchestrator.executor.decide.opening.gates import closed_gate
from orchestrator.executor.decide.opening.start_gate import own_opening, target_opening
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.model.plan.target import Target


def blocked(rollout: Rollout, target: Target, now: datetime) -> Block | Later | datetime | None:
    """What keeps one target from starting: a limit of its own, an instant to come back at, or its own window."""
    left_s = postponed_s(rollout, target, now)
    if left_s > 0:
        return Later(now + timedelta(seconds=left_s))
    unread = unread_events(rollout, target, now) if own_opening(rollout, target, now).open else None
    if unread is not None:
        return unread
    gate = target_opening(rollout, target, now)
    if not gate.open:
        return gate.until or now + timedelta(days=1)
    shut = closed_gate(rollout, target, now)
    block = target_block(rollout, target) if shut is None else (GATE, shut.name)
    if block is not None:
        return block
    subnet = awaited_subnet(rollout, target, now)
    return None if subnet is None else (SUBNET, subnet)


def postponed_s(rollout: Rollout, target: Target, now: datetime) -> float:
    """How much is left of the time for which a target was sent back, perhaps in an earlier session."""
    state = rollout.run.states.get(target.proxy_id)
    if state is None or state.postponed is None or state.not_before is None:
        return 0.0
    wait_s = (state.not_before - state.postponed.at).total_seconds()
    return wait_s - rollout.run.timeline.elapsed_s(state.postponed, now, target.scope)
