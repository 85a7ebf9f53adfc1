"""The forecast counts with what the cloud is about to do itself."""

from datetime import timedelta

from fakes.clock import START
from fakes.rollouts import ALL
from fakes.stage import plan_of, targets_of

from orchestrator.forecast.forecast import rehearse, rehearse_once
from orchestrator.model.reply.cloud_event import CloudEvent
from orchestrator.planner.preview.forecast_values import Rehearsed

TARGETS = targets_of(2)
PLAN = plan_of(TARGETS, waves=ALL)


def at(hours: float) -> CloudEvent:
    starts = START + timedelta(hours=hours)
    return CloudEvent(
        instance_id=TARGETS[0].instance_id.upper(), what="db_upgrade", starts=starts, ends=starts + timedelta(hours=2)
    )


def hours(*events: CloudEvent, **changes: str) -> float:
    told: Rehearsed = rehearse_once(
        plan_of(TARGETS, waves=ALL, **changes), TARGETS, start=START, events={"default": events}
    )
    assert told.unfinished is None
    return told.duration_s.p50 / 3600


def test_who_waits_for_an_event_makes_the_run_longer() -> None:
    assert hours() < 0.5
    assert 2.5 <= hours(at(0.5)) < 3
    assert hours(at(0.5), cloud_events="off") < 0.5


def test_one_that_is_under_way_ends_in_a_rehearsal_too() -> None:
    running = CloudEvent(instance_id=TARGETS[0].instance_id, what="db_upgrade", running=True)
    assert 1 <= hours(running) < 1.5
    ends = START + timedelta(hours=3)
    assert 3 <= hours(CloudEvent(instance_id=TARGETS[0].instance_id, what="x", ends=ends, running=True)) < 3.5


def test_one_without_a_time_is_not_foreseen() -> None:
    assert hours(CloudEvent(instance_id=TARGETS[0].instance_id, what="db_upgrade")) < 0.5


def test_the_range_counts_with_it_as_well() -> None:
    told = rehearse(PLAN, TARGETS, start=START, events={"default": (at(0.5),)})
    assert "the cloud's own events" in {phase.limited_by for phase in told.phases}
    assert told.duration_s.p5 >= 2.5 * 3600
