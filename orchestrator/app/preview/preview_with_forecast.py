"""A preview with rehearsals of its run: many for `plan --forecast`, else one of a small fleet. Writes nothing."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta, tzinfo
from typing import TypedDict

from msgspec import structs

from orchestrator.app.preview.seen_durations import durations_seen
from orchestrator.app.process.collector import spare_the_collector
from orchestrator.app.scopes.assume_rates import assume_rates
from orchestrator.app.scopes.rate_memory import RateMemory
from orchestrator.executor.scope.host_time import calendar_ahead_s
from orchestrator.forecast.forecast import rehearse, rehearse_once
from orchestrator.host_zone import HOST_ZONE
from orchestrator.model.plan.plan import Plan, Wave
from orchestrator.model.plan.target import Target
from orchestrator.model.reply.cloud_event import CloudEvent
from orchestrator.model.run.run import Run
from orchestrator.planner.next_run import Asked, NextRun, waiting_in
from orchestrator.planner.preview.forecast_values import Rehearsed, WaveTimes
from orchestrator.planner.preview.preview_values import Preview, WavePreview
from orchestrator.planner.set_aside import OPEN
from orchestrator.tracker.state_store import State

#: A run of so many upgrades is rehearsed for every preview; of more, arithmetic says how long it takes at least.
_CHEAP = 200


def with_forecast(
    preview: Preview,
    plan: Plan,
    coming: NextRun,
    *,
    memory: RateMemory,
    state: State,
    now: datetime,
    clouds: Mapping[str, float],
    asked: Asked,
) -> Preview:
    """The preview of a plan, with a forecast of its run.

    Args:
        preview: of this plan and these targets; what it leaves out is not sent.
        plan: what the run follows.
        coming: the run that a start takes up; one that goes on is rehearsed from where it stands.
        memory: what is known of rates.
        state: where the fleet is kept; it tells how long upgrades of this fleet took.
        now: when the run is taken to begin, by this host's clock.
        clouds: the cloud's time minus that in seconds, by scope, as far as it is known.
        asked: what the options of a start say, such as from when on its first session starts nothing.

    Raises:
        PlanError: the fleet's name belongs to another plan.
        StateError: a run of the fleet cannot be read.
    """
    spare_the_collector()
    bound = asked.bound(now + timedelta(seconds=calendar_ahead_s(0.0, clouds)))
    forecast = rehearse(**_rehearsed(preview, plan, coming, memory, state, now, clouds), bound=bound)
    return structs.replace(_with(preview, forecast), forecast=forecast)


def with_rehearsal(
    preview: Preview,
    plan: Plan,
    coming: NextRun,
    *,
    memory: RateMemory,
    state: State,
    now: datetime,
    clouds: Mapping[str, float],
) -> Preview:
    """The preview of a plan, with duration and calls of one typical rehearsal where that is cheap.

    It takes and raises what `with_forecast` does.
    """
    if not 0 < preview.sends + sum(aside.reason == OPEN for aside in coming.aside.values()) <= _CHEAP:
        return preview
    return _with(preview, rehearse_once(**_rehearsed(preview, plan, coming, memory, state, now, clouds)))


def _with(preview: Preview, told: Rehearsed) -> Preview:
    """The preview with the numbers of a typical run in place of arithmetic, unless it does not come to its end."""
    if told.unfinished is not None:
        return preview
    times = {each.name: each for each in told.waves}
    return structs.replace(
        preview,
        waves=[_timed(wave, times.get(wave.name)) for wave in preview.waves],
        duration_s=told.duration_s.p50,
        limited_by=told.limited_by or preview.limited_by,
        calls=structs.replace(preview.calls, all=round(told.calls.p50)),
        rehearsed=True,
    )


def _timed(wave: WavePreview, times: WaveTimes | None) -> WavePreview:
    if times is None or times.starts_s is None or times.ends_s is None:
        return wave
    lasts_s = times.ends_s.p50 - times.starts_s.p50
    return structs.replace(wave, duration_s=lasts_s, limited_by=times.limited_by or wave.limited_by)


class _Rehearsal(TypedDict):
    plan: Plan
    targets: Sequence[Target]
    left_out: AbstractSet[str]
    unread: AbstractSet[str]
    seen: Sequence[float]
    start: datetime
    begun: Run | None
    free: Mapping[str, int]
    events: Mapping[str, Sequence[CloudEvent]] | None
    zone: tzinfo
    clouds: Mapping[str, float]


def _rehearsed(
    preview: Preview,
    plan: Plan,
    coming: NextRun,
    memory: RateMemory,
    state: State,
    now: datetime,
    clouds: Mapping[str, float],
) -> _Rehearsal:
    waits = {target.proxy_id for target in (waiting_in(coming.run) if coming.run else coming.targets)}
    left_out = {target.proxy_id for group in preview.left_out for target in group.targets if target.proxy_id in waits}
    waves = tuple(_with_approvals(plan, coming))
    rated, _ = assume_rates(structs.replace(plan, waves=waves), memory)
    return {
        "plan": rated,
        "targets": coming.targets,
        "left_out": left_out,
        "unread": coming.failed_before.keys(),
        "seen": durations_seen(plan, state),
        "start": now,
        "begun": coming.run,
        "free": {subnet.subnet_id: subnet.free for subnet in preview.subnets if subnet.free is not None},
        "events": _events(preview),
        "zone": HOST_ZONE,
        "clouds": clouds,
    }


def _events(preview: Preview) -> Mapping[str, Sequence[CloudEvent]] | None:
    """What was read for the preview, by scope; None when nothing was."""
    if not preview.events_read:
        return None
    found: defaultdict[str, list[CloudEvent]] = defaultdict(list)
    for each in preview.events:
        found[each.scope].append(each.event)
    return found


def _with_approvals(plan: Plan, coming: NextRun) -> Iterator[Wave]:
    """The waves; those that a person has let begin wait for nobody any more."""
    for wave in plan.waves:
        yield structs.replace(wave, approve=wave.approve and wave.name not in coming.approved)
