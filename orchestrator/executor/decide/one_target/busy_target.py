"""When a target that the cloud is busy with comes back. Pure."""

from datetime import datetime, timedelta

from orchestrator.executor.decide.opening.start_gate import open_at
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.executor.scope.backoff import busy_wait_s
from orchestrator.model.run.state import TargetState


def busy_until(rollout: Rollout, state: TargetState, now: datetime, busy_s: float) -> datetime | None:
    """When to look again at a target that has been busy for `busy_s` seconds; None: give it up for this run.

    It is given up when it was busy for `retry.busy_for`, or would be looked at again only after the window has closed.
    """
    retry = rollout.plan.retry
    left_s = retry.busy_for_s - busy_s
    until = now + timedelta(seconds=max(0.0, min(busy_wait_s(state.busy_times, retry.busy_s), left_s)))
    return until if left_s > 0 and open_at(rollout, state.target, until) else None
