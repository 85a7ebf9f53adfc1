"""Sessions: stopping, bounds, windows, and taking up what an earlier session left, at every phase."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fakes import acts
from fakes.acts import Act, Fate
from fakes.clock import START
from fakes.clouds import FakeCloud
from fakes.stage import Played, Stage, later, plan_of, resume, targets_of
from msgspec.structs import replace

from orchestrator.errors import StateError
from orchestrator.executor.crash_points import Point
from orchestrator.executor.decide.actions import Ending
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Failures, Freeze, Limits, Wave, Window
from orchestrator.model.plan.target import Facts
from orchestrator.model.record.record import (
    AnswerMissing,
    AnswerSeen,
    FollowTimedOut,
    Intent,
    JobSeen,
    Record,
    SessionEnded,
    Settled,
    WorkflowAdopted,
)

LENIENT = Failures(max=Amount(100, percent=True), max_rejected=Amount(100, percent=True), mode="soft")
FREE = Limits(in_flight=Amount(100), concurrency=50, rate=50.0, ramp=False)


def stage_of(number: Any, setup: Any = lambda _cloud: None, **changes: Any) -> Stage:
    targets = targets_of(number) if isinstance(number, int) else number
    values = {"limits": FREE, "failures": LENIENT, "waves": (Wave(name="all"),), **changes}
    return Stage(plan=plan_of(targets, **values), cloud_of=setup)


def stop_after(seconds: float) -> Any:
    return later(seconds, lambda dispatcher: dispatcher.stop("stopped by SIGTERM"))


# --- stopping ---------------------------------------------------------------------------------------------------------


def test_a_stop_finishes_the_call_under_way_and_records_its_answer() -> None:
    slow = Act(acts.ACCEPT.reply, effect=True, latency_s=20.0)
    stage = stage_of(5, lambda cloud: setattr(cloud, "default_act", slow))
    stage.script = (stop_after(5.0),)
    played = stage.play()
    assert played.finish.ending is Ending.STOPPED
    assert played.code == 5
    assert len(played.of(Intent)) == len(played.of(AnswerSeen)) == 5
    assert 20 < played.seconds < 25
    assert resume(stage, played).play().outcomes() == {"succeeded": 5}
    assert set(played.cloud.books.values()) == {1}


def test_after_a_stop_nothing_starts() -> None:
    stage = stage_of(200, limits=Limits(rate=2.0, ramp=False, in_flight=Amount(100)))
    stage.script = (stop_after(10.0),)
    played = stage.play()
    assert played.seconds < 11
    assert max(record.at for record in played.of(Intent)) <= START + timedelta(seconds=10.1)
    assert [record.exit_code for record in played.of(SessionEnded)] == [5]


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.06, 0.11, 0.2, 60.0, 200.0, 301.0, 320.0])
def test_a_stop_at_any_moment_ends_the_session_and_the_next_one_goes_on(seconds: float) -> None:
    stage = stage_of(6)
    stage.script = (stop_after(seconds),)
    played = stage.play()
    assert played.seconds <= seconds + 1
    after = resume(stage, played).play()
    assert after.outcomes() == {"succeeded": 6}
    assert set(after.cloud.books.values()) == {1}


# --- bounds of a session ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bound", ["until", "ends_at"])
def test_nothing_starts_after_the_bound_and_what_is_open_is_followed(bound: str) -> None:
    stage = stage_of(200, limits=Limits(rate=2.0, ramp=False, in_flight=Amount(100)))
    setattr(stage, bound, START + timedelta(seconds=30))
    played = stage.play()
    assert played.code == 5
    assert set(played.outcomes()) == {"succeeded", "waiting"}
    assert max(record.at for record in played.of(Intent)) <= START + timedelta(seconds=30)


def test_when_only_a_person_can_go_on_the_bound_does_not_say_that_all_is_well() -> None:
    stage = stage_of(1, lambda cloud: setattr(cloud, "default_fate", Fate(duration_s=1e7, flips=None)))
    stage.until = START + timedelta(seconds=30)
    played = stage.play()
    assert played.outcomes() == {"timed_out": 1}
    assert played.code == 6


# --- windows ----------------------------------------------------------------------------------------------------------


NIGHT = Window(opens=23 * 60, closes=60, timezone="UTC")


def test_upgrades_start_in_the_window_only() -> None:
    stage = stage_of(4, windows=(NIGHT,))
    played = stage.play()
    assert played.outcomes() == {"succeeded": 4}
    assert min(record.at for record in played.of(Intent)) >= datetime(2026, 3, 1, 23, 0, tzinfo=UTC)


def test_a_window_that_is_far_away_ends_the_session_naming_the_instant() -> None:
    stage = stage_of(4, windows=(replace(NIGHT, opens=3 * 60, closes=5 * 60),))
    played = stage.play()
    assert played.code == 5
    assert "2026-03-02 03:00:00" in played.finish.why
    assert played.seconds < 5


def test_an_upgrade_that_would_not_end_in_the_window_does_not_start() -> None:
    stage = stage_of(4, windows=(Window(opens=21 * 60, closes=22 * 60 + 5, timezone="UTC"),))
    played = stage.play()
    assert played.outcomes() == {"waiting": 4}
    assert "too late to end before 22:05" in played.finish.why
    assert stage_of(4, windows=(Window(opens=21 * 60, closes=22 * 60 + 11, timezone="UTC"),)).play().outcomes() == {
        "succeeded": 4
    }
    assert stage_of(4, windows=stage.plan.windows, fit=False).play().outcomes() == {"succeeded": 4}


def test_nothing_starts_in_a_freeze() -> None:
    stage = stage_of(4, freezes=(Freeze(start="2026-03-01", end="2026-03-01", timezone="UTC"),))
    stage.wait_s = 7200.0
    played = stage.play()
    assert played.outcomes() == {"succeeded": 4}
    assert min(record.at for record in played.of(Intent)) >= datetime(2026, 3, 2, tzinfo=UTC)


def test_a_run_spans_nights() -> None:
    stage = stage_of(30, windows=(replace(NIGHT, closes=23 * 60 + 20),), limits=Limits(ramp=False, in_flight=Amount(5)))
    played = stage.play()
    nights = 1
    while not played.run.ended:
        assert played.code == 5
        stage = resume(stage, played, start=START + timedelta(days=nights))
        played = stage.play()
        nights += 1
    assert played.outcomes() == {"succeeded": 30}
    assert nights == 2
    for intent in played.of(Intent):
        assert (intent.at.hour, intent.at.minute // 20) == (23, 0)


def test_each_instance_has_its_own_window() -> None:
    early, late, unknown = targets_of(3)
    targets = [
        replace(early, facts=Facts(maintenance_window="22:00-23:59")),
        replace(late, facts=Facts(maintenance_window="22:40-23:59")),
        replace(unknown, facts=Facts(maintenance_window="02:00-06:00")),
    ]
    played = stage_of(targets, windows="instance").play()
    assert played.outcomes() == {"succeeded": 2, "waiting": 1}
    assert played.code == 5
    assert "2026-03-02 02:00" in played.finish.why
    starts = {record.target: record.at for record in played.of(Intent)}
    assert starts[late.proxy_id] >= START + timedelta(minutes=40)


def test_a_target_that_is_busy_when_its_window_closes_is_deferred() -> None:
    def setup(cloud: FakeCloud) -> None:
        cloud.add_foreign(next(iter(cloud.proxies.values())).instance_id, -100, Fate(duration_s=1e6))

    played = stage_of(2, setup, windows=(Window(opens=21 * 60, closes=22 * 60 + 30, timezone="UTC"),)).play()
    assert played.outcomes() == {"succeeded": 1, "deferred": 1}
    assert played.ended_at < START + timedelta(minutes=30)


# --- taking up --------------------------------------------------------------------------------------------------------


def test_a_session_that_died_before_the_answer_is_reconciled() -> None:
    stage, played = cut_after(Intent)
    after = resume(stage, played).play()
    assert len(after.of(AnswerMissing)) == 1
    assert len(after.of(WorkflowAdopted)) == 1
    assert after.outcomes() == {"succeeded": 4}


def test_a_session_that_died_after_an_adoption_follows_what_it_adopted() -> None:
    stage, played = cut_after(Intent)
    adopted = resume(stage, played).play()
    at = next(number for number, record in enumerate(adopted.records) if isinstance(record, WorkflowAdopted))
    played = cut_at(adopted, at)
    after = resume(stage, played).play()
    assert after.outcomes() == {"succeeded": 4}
    assert len(after.of(AnswerMissing)) == 1
    assert len(after.of(WorkflowAdopted)) == 1


@pytest.mark.parametrize("kind", [AnswerSeen, JobSeen, Settled])
def test_a_session_that_died_later_goes_on_from_there(kind: Any) -> None:
    stage, played = cut_after(kind)
    after = resume(stage, played).play()
    assert after.outcomes() == {"succeeded": 4}
    assert set(after.cloud.books.values()) == {1}
    assert len(after.of(Intent)) == 4


def cut_after(kind: type[Record]) -> tuple[Stage, Played]:
    """A session in waves of one, and its journal up to the third record of one kind; the cloud did what was sent."""
    stage = stage_of(
        4, waves=(Wave(name="one", size=Amount(3)), Wave(name="rest")), limits=Limits(ramp=False, concurrency=1)
    )
    played = stage.play()
    at = [number for number, record in enumerate(played.records) if isinstance(record, kind)][2]
    return stage, cut_at(played, at)


def cut_at(played: Played, at: int) -> Played:
    """What a process leaves that dies after a record, when all that it had sent took effect."""
    sent = {record.target for record in played.records[: at + 1] if isinstance(record, Intent)}
    played.records = played.records[: at + 1]
    played.ended_at = played.records[at].at
    played.clouds = {
        name: cloud.as_of(cloud.clock, lambda key, _number: key in sent) for name, cloud in played.clouds.items()
    }
    return played


def test_what_timed_out_is_looked_at_at_every_start() -> None:
    stage = stage_of(1, lambda cloud: setattr(cloud, "default_fate", Fate(duration_s=7200.0)))
    played = stage.play()
    assert played.outcomes() == {"timed_out": 1}
    again = resume(stage, played).play()
    assert again.outcomes() == {"timed_out": 1}
    assert again.code == 6
    assert again.seconds < 5
    assert again.cloud.counts["job"] == played.cloud.counts["job"]
    assert len(again.of(FollowTimedOut)) == 1
    last = resume(stage, again, after=timedelta(hours=2)).play()
    assert last.outcomes() == {"succeeded": 1}


def test_what_is_in_doubt_is_looked_at_at_every_start() -> None:
    stage = stage_of(1, lambda cloud: setattr(cloud, "default_act", acts.LOST_REQUEST))
    played = stage.play()
    assert played.outcomes() == {"in_doubt": 1}
    again = resume(stage, played).play()
    assert again.outcomes() == {"in_doubt": 1}
    assert again.code == 6
    assert again.seconds < 5


# --- a disk that is full ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("holds", range(2, 46, 3))
def test_when_the_disk_is_full_nothing_was_sent_without_its_intent(holds: int) -> None:
    stage = stage_of(6)
    stage.disk_holds = holds
    with pytest.raises(ExceptionGroup) as raised:
        stage.play()
    assert raised.group_contains(StateError)
    assert stage.journal is not None
    assert len(stage.journal.records) <= holds
    intended = {record.target for record in stage.journal.records if isinstance(record, Intent)}
    assert {call.key for call in stage.clouds["default"].calls if call.name == "upgrade"} <= intended
    after = Stage(plan=stage.plan, clouds=stage.clouds, records=stage.journal.records, start=START + timedelta(hours=1))
    played = after.play()
    assert played.outcomes() == {"succeeded": 6}
    assert set(played.cloud.books.values()) == {1}


# --- points -----------------------------------------------------------------------------------------------------------


def test_every_named_point_is_passed() -> None:
    passed: set[Point] = set()

    def setup(cloud: FakeCloud) -> None:
        cloud.acts[next(iter(cloud.proxies))] = [acts.LOST_ANSWER]

    stage = stage_of(4, setup)
    stage.reached = passed.add
    stage.play()
    assert passed == set(Point)
