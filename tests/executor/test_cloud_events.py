"""Events of the cloud's own: nothing starts before one, and what waits for it starts when it is over."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from fakes.clock import START
from fakes.clouds import FakeCloud
from fakes.rollouts import ALL, FREE, LENIENT
from fakes.stage import Played, Stage, later, plan_of, targets_of

from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Follow, Limits
from orchestrator.model.record.cloud_event_record import CloudEventsRead
from orchestrator.model.record.record import Intent
from orchestrator.model.reply.cloud_event import CloudEvent
from orchestrator.model.reply.reply import Doubtful, Exchange, Refused

FIRST, SECOND = targets_of(2)


def event(after_h: float, lasts_h: float | None = 1.0, **fields: Any) -> CloudEvent:
    """Of the first target's instance, that many hours after the session begins."""
    starts = START + timedelta(hours=after_h)
    ends = None if lasts_h is None else starts + timedelta(hours=lasts_h)
    values = {"instance_id": FIRST.instance_id.upper(), "what": "db_upgrade", "starts": starts, "ends": ends}
    return CloudEvent(**{**values, **fields})


def stage(*events: CloudEvent, put_off: tuple[CloudEvent, ...] = (), wait_s: float = 86400.0, **changes: Any) -> Stage:
    values = {"limits": FREE, "failures": LENIENT, "waves": ALL, "cloud_events": "wait", **changes}
    plan = plan_of(targets_of(2), **values)
    cloud = FakeCloud(None, plan.proxies, planned=list(events), put_off=list(put_off))  # type: ignore[arg-type]
    return Stage(plan=plan, clouds={"default": cloud}, wait_s=wait_s)  # which gives the cloud its clock


def one_after_the_other(proxies: int, side_by_side: int = 1) -> Stage:
    """A run of several readings of the cloud's events."""
    limits = Limits(in_flight=Amount(side_by_side), ramp=False)
    plan = plan_of(targets_of(proxies), limits=limits, failures=LENIENT, waves=ALL)
    return Stage(plan=plan, clouds={"default": FakeCloud(None, plan.proxies)})  # type: ignore[arg-type]


def started(played: Played) -> dict[str, datetime]:
    return {record.target: record.at for record in played.of(Intent)}


def test_nothing_starts_within_the_hour_before_an_event_and_during_it() -> None:
    found = started(stage(event(0.5)).play())

    assert found[SECOND.proxy_id] < START + timedelta(minutes=1)
    assert timedelta(hours=1.5) <= found[FIRST.proxy_id] - START < timedelta(hours=1.6)


def test_what_the_console_was_told_to_do_later_counts_too() -> None:
    found = started(stage(put_off=(event(0.5),)).play())
    assert found[FIRST.proxy_id] >= START + timedelta(hours=1.5)


@pytest.mark.parametrize("far", [event(1.5), event(-3.0), event(0.5, starts=None, ends=None)])
def test_an_event_that_is_far_or_over_or_has_no_time_keeps_nothing_back(far: CloudEvent) -> None:
    assert started(stage(far).play())[FIRST.proxy_id] < START + timedelta(minutes=1)


def test_the_time_that_an_upgrade_should_take_counts_when_it_is_longer() -> None:
    found = started(stage(event(1.5), follow=Follow(expected_s=7200.0, timeout_s=14400.0)).play())
    assert found[FIRST.proxy_id] >= START + timedelta(hours=2.5)


def test_one_that_is_under_way_keeps_its_instance_until_the_cloud_says_that_it_is_over() -> None:
    made = stage(event(-1.0, None, running=True))
    cloud = made.clouds["default"]

    async def over(_dispatcher: Any) -> None:
        cloud.planned.clear()

    made.script = (later(1800.0, over),)
    found = started(made.play())
    assert timedelta(minutes=30) <= found[FIRST.proxy_id] - START < timedelta(minutes=40)


def test_a_session_that_may_not_wait_so_long_ends_and_says_why() -> None:
    played = stage(event(0.5, 3.0), wait_s=600.0).play()

    assert played.outcomes() == {"succeeded": 1, "waiting": 1}
    assert played.code == 5
    assert f"db_upgrade of instance {FIRST.instance_id.upper()}, from " in played.finish.why


@pytest.mark.parametrize("fault", ["denied", "doubtful"])
def test_where_they_cannot_be_read_the_run_goes_on_as_before_and_says_so_once(fault: str) -> None:
    made = stage(event(0.5))
    cloud = made.clouds["default"]
    failure = (
        Refused("no permission", Exchange(http_status=403))
        if fault == "denied"
        else Doubtful("HTTP 503", Exchange(http_status=503))
    )

    async def fails(*, offset: int) -> Any:
        assert offset == 0
        return failure

    cloud.schedule_events = cloud.scheduled_jobs = fails  # type: ignore[method-assign]
    played = made.play()

    assert played.outcomes() == {"succeeded": 2}
    (warning,) = played.run.warnings
    assert ("needs the permission to list schedule-events" in warning) == (fault == "denied")
    assert played.of(CloudEventsRead)[0].denied == (fault == "denied")


def test_off_asks_for_nothing() -> None:
    played = stage(event(0.5), cloud_events="off").play()
    assert started(played)[FIRST.proxy_id] < START + timedelta(minutes=1)
    assert not played.of(CloudEventsRead)


@pytest.mark.parametrize("status", [403, 404, 501])
def test_a_list_that_is_refused_is_asked_for_once(status: int) -> None:
    """Though the session goes on for an hour, and the other list is read again and again."""
    made = one_after_the_other(12)
    cloud = made.clouds["default"]
    asked: list[int] = []

    async def refuses(*, offset: int) -> Any:
        asked.append(offset)
        exchange = Exchange(http_status=status)
        return Doubtful("HTTP 501", exchange) if status == 501 else Refused("no", exchange)

    cloud.schedule_events = refuses  # type: ignore[method-assign]
    played = made.play()

    assert (played.code, played.outcomes(), asked) == (0, {"succeeded": 12}, [0])
    assert cloud.counts["scheduled_jobs"] > 5
    (warning,) = played.run.warnings
    assert ("needs the permission to list schedule-events" in warning) == (status == 403)


def test_a_region_without_both_lists_is_asked_for_each_once_and_nothing_else_changes() -> None:
    made = stage(event(0.5))
    cloud = made.clouds["default"]
    asked: list[str] = []

    def refusing(name: str) -> Any:
        async def refuses(*, offset: int) -> Any:
            asked.append(f"{name} {offset}")
            return Refused("The API does not exist", Exchange(http_status=404), not_found=True)

        return refuses

    cloud.schedule_events, cloud.scheduled_jobs = refusing("events"), refusing("jobs")  # type: ignore[method-assign]
    played = made.play()

    assert (played.code, played.outcomes(), asked) == (0, {"succeeded": 2}, ["events 0", "jobs 0"])
    (warning,) = played.run.warnings
    assert "schedule-events is not offered here" in warning
    assert "scheduled-jobs is not offered here" in warning


def test_a_list_that_fails_again_and_again_is_one_warning_though_each_request_has_its_id() -> None:
    made = one_after_the_other(12)
    cloud = made.clouds["default"]
    asked: list[str] = []

    async def fails(*, offset: int) -> Any:
        asked.append(f"{offset}-{len(asked)}")
        return Doubtful("HTTP 503", Exchange(http_status=503, request_id=asked[-1]))

    cloud.schedule_events = fails  # type: ignore[method-assign]
    played = made.play()
    assert len(asked) > 5
    assert len(played.run.warnings) == 1


@pytest.mark.parametrize("proxies", [6, 48])
def test_the_lists_cost_two_calls_in_five_minutes_however_many_proxies_there_are(proxies: int) -> None:
    played = one_after_the_other(proxies, side_by_side=proxies // 6).play()
    asked = played.cloud.counts["schedule_events"] + played.cloud.counts["scheduled_jobs"]
    assert played.outcomes() == {"succeeded": proxies}
    assert 2 <= asked <= 2 * (played.seconds // 300 + 1)
