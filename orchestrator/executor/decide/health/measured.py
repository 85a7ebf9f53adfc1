"""What of the impact of upgrades is still to be measured, and how long a session waits for it. Pure."""

from datetime import datetime, timedelta

from orchestrator.executor.decide.rollout import Rollout
from orchestrator.model.learned.impact import AFTER, LAG
from orchestrator.model.run.state import TargetState


def unmeasured(state: TargetState) -> bool:
    """Whether a target was upgraded by us and settled, and has not all its minutes written down."""
    measured = state.impact is not None and not state.impact.missing
    return state.began and state.ended is not None and not measured


def measured_at(rollout: Rollout, now: datetime) -> datetime | None:
    """When the last minutes of what was settled in this session can be read; None when nothing is to be waited for.

    A session that has nothing else to do waits so long, and no longer: what does not come by then is missing.
    """
    if rollout.plan.impact == "off":
        return None
    rest = timedelta(seconds=(AFTER + LAG + 2) * rollout.plan.cloud_eye.grain_s)
    run = rollout.run
    ends = [
        state.ended.at + rest
        for state in run.states.values()
        if state.ended is not None
        and state.ended.session == run.timeline.session
        and unmeasured(state)
        and not run.scopes[state.target.scope].unmetered
    ]
    latest = max(ends, default=now)
    return latest if 0 < (latest - now).total_seconds() <= rollout.wait_s else None
