"""A preview with the forecast of its run, for `plan --forecast`. Reads the fleet's journals, and writes nothing."""

from collections.abc import Iterator
from datetime import datetime

from msgspec import structs

from orchestrator.app.preview.seen_durations import durations_seen
from orchestrator.app.process.event_loop import spare_the_collector
from orchestrator.app.scopes.rate_memory import RateMemory, assume_rates
from orchestrator.forecast.forecast import rehearse
from orchestrator.model.plan import Plan, Wave
from orchestrator.model.target import Target
from orchestrator.planner.next_run import NextRun
from orchestrator.planner.preview.preview import Preview
from orchestrator.tracker.state import State


def with_forecast(
    preview: Preview, plan: Plan, coming: NextRun, *, memory: RateMemory, state: State, now: datetime
) -> Preview:
    """The preview of a plan, with a forecast of its run.

    Args:
        preview: of this plan and these targets; what it leaves out is not sent.
        plan: what the run follows.
        coming: the run that a start takes up; its waves that are over are not rehearsed again.
        memory: what is known of rates.
        state: where the fleet is kept; it tells how long upgrades of this fleet took.
        now: when the run is taken to begin.

    Raises:
        PlanError: the fleet's name belongs to another plan.
        StateError: a run of the fleet cannot be read.
    """
    left_out = {target.proxy_id for group in preview.left_out for target in group.targets}
    targets = [each for each in coming.targets if not _is_over(coming, each)]
    waves = tuple(_to_come(plan, coming)) or plan.waves[-1:]
    rated, _ = assume_rates(structs.replace(plan, waves=waves), memory)
    spare_the_collector()
    forecast = rehearse(
        rated,
        targets,
        left_out={each.proxy_id for each in targets} & left_out,
        seen=durations_seen(plan, state),
        start=now,
    )
    return structs.replace(preview, forecast=forecast)


def _to_come(plan: Plan, coming: NextRun) -> Iterator[Wave]:
    """The waves that are not over; those that a person has let begin wait for nobody any more."""
    for wave in plan.waves:
        if wave.name not in coming.done:
            yield structs.replace(wave, approve=wave.approve and wave.name not in coming.approved)


def _is_over(coming: NextRun, target: Target) -> bool:
    """Whether a target was sent already; no wave draws another in its place."""
    aside = coming.aside.get(target.proxy_id)
    return aside is not None and not aside.replaced
