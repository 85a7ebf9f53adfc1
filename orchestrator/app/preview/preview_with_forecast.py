"""A preview with the forecast of its run, for `plan --forecast`. Reads the fleet's journals, and writes nothing."""

from datetime import datetime

from msgspec import structs

from orchestrator.app.preview.seen_durations import durations_seen
from orchestrator.app.process.event_loop import spare_the_collector
from orchestrator.app.scopes.rate_memory import RateMemory, assume_rates
from orchestrator.forecast.forecast import rehearse
from orchestrator.model.plan import Plan
from orchestrator.planner.preview.preview import Preview
from orchestrator.planner.targets.resolve import Resolved
from orchestrator.tracker.state import State


def with_forecast(
    preview: Preview, plan: Plan, resolved: Resolved, *, memory: RateMemory, state: State, now: datetime
) -> Preview:
    """The preview of a plan, with a forecast of its run.

    Args:
        preview: of this plan and these targets; what it leaves out is not sent.
        plan: what a person asked for.
        resolved: its targets.
        memory: what is known of rates.
        state: where the fleet is kept; it tells how long upgrades of this fleet took.
        now: when the run is taken to begin.

    Raises:
        PlanError: the fleet's name belongs to another plan.
        StateError: a run of the fleet cannot be read.
    """
    groups = (group for group in preview.left_out if group.outcome != "excluded")
    rated, _ = assume_rates(plan, memory)
    spare_the_collector()
    forecast = rehearse(
        rated,
        resolved.targets,
        left_out={target.proxy_id for group in groups for target in group.targets},
        seen=durations_seen(plan, state),
        start=now,
    )
    return structs.replace(preview, forecast=forecast)
