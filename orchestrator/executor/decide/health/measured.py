"""What of the impact of upgrades is still to be measured, and how long a session waits for it. Pure."""

from datetime import datetime, timedelta
from operator import attrgetter

from orchestrator.executor.decide.rollout import Rollout
from orchestrator.model.learned.impact import AFTER, LAG


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
        for state in run.states.glances(run.states.those(attrgetter("unmeasured")))
        if state.ended is not None
        and state.ended.session == run.timeline.session
        and not run.scopes[state.target.scope].unmetered
    ]
    latest = max(ends, default=now)
    return latest if 0 < (latest - now).total_seconds() <= rollout.wait_s else None
