"""Pauses that the cloud asks for, and lists, have an end of ours."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from fakes.acts import throttling
from fakes.clock import START
from fakes.clouds import FakeCloud
from fakes.rollouts import stage_of

from orchestrator.executor.decide.actions import Ending
from orchestrator.executor.dispatch import Dispatcher
from orchestrator.executor.scope.jobs import job_list_paging as paging
from orchestrator.executor.scope.jobs.job_list_paging import Paging
from orchestrator.model.record.record import HoldSet, ScopeThrottled
from orchestrator.model.reply.reply import Exchange, Failure, Job, JobPage, Page, Throttled
from orchestrator.planner.targets import instance_list as listing
from orchestrator.planner.targets.instance_list import InstanceList

DAY = 86400.0


def always(seconds: float, *, until_s: float = 1e9) -> Any:
    def down(now: datetime) -> Failure | None:
        throttled = now < START + timedelta(seconds=until_s)
        return Throttled(seconds, Exchange(http_status=429)) if throttled else None

    def setup(cloud: FakeCloud) -> None:
        cloud.down = down

    return setup


def test_a_pause_further_away_than_the_session_waits_ends_it_and_names_the_instant() -> None:
    played = stage_of(3, always(DAY)).play()
    assert played.code == 5
    assert played.finish.ending is Ending.LATER
    assert f"next possible start {START + timedelta(days=1):%Y-%m-%d}" in played.finish.why
    sooner = f"it may be over sooner, a start from {START + timedelta(hours=1):%Y-%m-%d %H:%M}"
    assert sooner in played.finish.why, "one probe an hour"
    assert played.seconds < 10


@pytest.mark.parametrize(("asked_s", "wait_s"), [(800.0, 0.0), (3000.0, 3600.0)])
def test_a_short_pause_is_waited_for(asked_s: float, wait_s: float) -> None:
    stage = stage_of(3, always(asked_s, until_s=10))
    stage.wait_s = wait_s
    played = stage.play()
    assert played.outcomes() == {"succeeded": 3}
    assert played.seconds > asked_s


@pytest.mark.parametrize("bound", ["until", "ends_at"])
def test_a_pause_that_ends_after_the_bound_of_the_session_is_not_waited_for(bound: str) -> None:
    stage = stage_of(3, always(3000.0))
    setattr(stage, bound, START + timedelta(seconds=1800))
    played = stage.play()
    assert played.code == 5
    assert played.seconds < 10


@pytest.mark.parametrize("asked_s", [3.0, 30.0, 800.0])
@pytest.mark.parametrize("from_s", [0.0, 0.06])
@pytest.mark.parametrize("bound", ["until", "ends_at"])
def test_the_bound_of_a_session_holds_while_the_cloud_asks_for_pauses(
    asked_s: float, from_s: float, bound: str
) -> None:
    def setup(cloud: FakeCloud) -> None:
        throttled = Throttled(asked_s, Exchange(http_status=429))
        cloud.down = lambda now: None if now < START + timedelta(seconds=from_s) else throttled

    stage = stage_of(3, setup)
    setattr(stage, bound, START + timedelta(seconds=5))
    played = stage.play()
    assert played.code == 5
    assert "time for starts" in played.finish.why
    assert 5 <= played.seconds < 6


@pytest.mark.parametrize("asked_s", [3.0, 30.0, 800.0])
def test_a_held_fleet_whose_preflights_are_throttled_ends_its_session(asked_s: float) -> None:
    def setup(cloud: FakeCloud) -> None:
        throttled = Throttled(asked_s, Exchange(http_status=429))
        cloud.down = lambda now: None if now < START + timedelta(seconds=0.06) else throttled

    async def hold(dispatcher: Dispatcher) -> None:
        await dispatcher.session.clock.sleep(5.0)
        await dispatcher.session.ledger.record(
            HoldSet(at=dispatcher.session.clock.now(), cause="person", reason="seen")
        )

    stage = stage_of(3, setup)
    stage.script = (hold,)
    played = stage.play()
    assert played.code == 3
    assert 5 <= played.seconds < 6


def test_in_a_pause_that_is_too_long_one_probe_an_hour_finds_out() -> None:
    stage = stage_of(3, always(DAY, until_s=5.5 * 3600))
    stage.wait_s = 2 * DAY
    played = stage.play()
    assert played.outcomes() == {"succeeded": 3}
    assert len([call for call in played.cloud.calls if call.at < START + timedelta(hours=5.5)]) <= 7
    assert 6 * 3600 <= played.seconds < 7 * 3600
    assert all(record.probe_at - record.at == timedelta(hours=1) for record in played.of(ScopeThrottled))


def test_not_everybody_who_waits_is_the_probe() -> None:
    def down(now: datetime) -> Failure | None:
        throttled = timedelta(seconds=30) < now - START < timedelta(hours=5.5)
        return Throttled(DAY, Exchange(http_status=429)) if throttled else None

    def setup(cloud: FakeCloud) -> None:
        cloud.down = down
        cloud.latency_s = 5.0

    stage = stage_of(4, setup)
    stage.wait_s = 2 * DAY
    played = stage.play()
    assert played.outcomes() == {"succeeded": 4}
    hours = (timedelta(minutes=30), timedelta(hours=5.5))
    assert len([call for call in played.cloud.calls if hours[0] < call.at - START < hours[1]]) <= 6


def test_what_is_followed_does_not_keep_a_session_alive_through_a_long_pause() -> None:
    def setup(cloud: FakeCloud) -> None:
        keys = list(cloud.proxies)
        cloud.acts[keys[-1]] = [throttling(DAY)]

    played = stage_of(3, setup).play()
    assert played.code == 5
    assert played.seconds < 3600


def test_a_job_list_that_never_ends_is_cut_off_and_not_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MOST_ROWS", 500)
    numbers, read = count(), Paging()
    while read.next_offset is not None:
        jobs = tuple(Job(job_id=f"j{next(numbers)}") for _ in range(50))
        read.feed(JobPage(jobs=jobs, total_count=len(read.jobs) + 1000))
    assert len(read.jobs) == 500
    assert not read.complete


def test_a_list_of_instances_that_never_ends_is_cut_off_and_not_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MOST_ROWS", 500)
    numbers, read = count(), InstanceList()
    while read.next_offset is not None:
        rows = tuple({"id": f"i{next(numbers)}"} for _ in range(100))
        read.feed(Page(rows=rows, total_count=len(read.rows) + 1000))
    assert len(read.rows) == 500
    assert not read.complete
