"""Windows, freezes and `fit` over whole runs on virtual time: when something starts, and what a session says before."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fakes.acts import Fate
from fakes.clock import START
from fakes.clouds import FakeCloud
from fakes.nights import check_starts, own_window
from fakes.stage import Played, Stage, plan_of, resume, targets_of
from msgspec.structs import replace

from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Failures, Follow, Freeze, Limits, Wave, Window
from orchestrator.model.plan.target import Facts
from orchestrator.model.record.record import Intent, Record

LENIENT = Failures(max=Amount(100, percent=True), max_rejected=Amount(100, percent=True), mode="soft")
ONE_BY_ONE = Limits(in_flight=Amount(1), rate=50.0, ramp=False)
FREE = Limits(in_flight=Amount(100), concurrency=50, rate=50.0, ramp=False)
ALL = (Wave(name="all"),)


def stage_of(number: int, setup: Any = lambda _cloud: None, **changes: Any) -> Stage:
    values = {"limits": FREE, "failures": LENIENT, "waves": ALL, **changes}
    return Stage(plan=plan_of(targets_of(number), **values), cloud_of=setup)


def starts(played: Played) -> list[datetime]:
    return [record.at for record in played.of(Intent)]


def lasting(seconds: float) -> Any:
    return lambda cloud: setattr(cloud, "default_fate", Fate(duration_s=seconds))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# --- nights -----------------------------------------------------------------------------------------------------------

NIGHT = Window(opens=23 * 60, closes=60, timezone="UTC")


def test_a_start_that_comes_twice_in_the_daytime_sends_and_changes_nothing() -> None:
    stage = stage_of(30, limits=replace(FREE, in_flight=Amount(5)), windows=(replace(NIGHT, closes=23 * 60 + 20),))
    stage.wait_s = 7200.0
    played = stage.play()
    before = played.outcomes()
    for _ in range(2):
        noon = resume(stage, played, start=START.replace(hour=12) + timedelta(days=1), wait_s=3600.0)
        played = noon.play()
        assert played.code == 5
        assert played.seconds < 5
        assert "next possible start 2026-03-02 23:00:00 UTC" in played.finish.why
    assert played.outcomes() == before


def test_a_night_that_cron_missed_is_made_up_for_in_the_next_one() -> None:
    stage = stage_of(24, limits=replace(FREE, in_flight=Amount(5)), windows=(replace(NIGHT, closes=23 * 60 + 20),))
    stage.wait_s = 7200.0
    played = stage.play()
    assert played.outcomes()["waiting"] > 0
    after = resume(stage, played, start=START.replace(hour=23, minute=5) + timedelta(days=3)).play()
    assert after.outcomes() == {"succeeded": 24}
    assert {instant.day for instant in starts(after)} == {1, 4}


def test_what_is_near_enough_is_waited_for_in_the_process() -> None:
    windows = (replace(NIGHT, closes=23 * 60 + 20), Window(opens=60, closes=80, timezone="UTC"))
    stage = stage_of(30, limits=replace(FREE, in_flight=Amount(5)), windows=windows)
    stage.wait_s = 7200.0
    played = stage.play()
    assert played.outcomes() == {"succeeded": 30}
    assert len({instant.day for instant in starts(played)}) == 2
    assert check_starts(stage.plan, played.records) == 30


def test_the_bound_of_a_session_is_before_the_window() -> None:
    stage = stage_of(3, windows=(NIGHT,))
    stage.until = START + timedelta(minutes=30)
    played = stage.play()
    assert (played.code, played.outcomes()) == (5, {"waiting": 3})
    assert played.seconds < 5


def test_several_windows_are_used_one_after_the_other() -> None:
    windows = (
        Window(opens=22 * 60, closes=22 * 60 + 15, timezone="UTC"),
        Window(opens=7 * 60, closes=7 * 60 + 15, timezone="Asia/Shanghai"),  # 23:00 UTC
        Window(opens=15, closes=30, timezone="UTC"),
    )
    stage = stage_of(5, limits=ONE_BY_ONE, windows=windows, follow=Follow(expected_s=300.0))
    stage.wait_s = 7200.0
    played = stage.play()
    assert played.outcomes() == {"succeeded": 5}
    quarters = [(instant.day, instant.hour, instant.minute // 15) for instant in starts(played)]
    assert quarters == [(1, 22, 0)] * 2 + [(1, 23, 0)] * 2 + [(2, 0, 1)]


def test_an_opening_that_is_years_away_is_no_opening() -> None:
    frozen = (Freeze(start="2026-03-01", end="2029-03-01", timezone="UTC"),)
    played = stage_of(3, windows=(NIGHT,), freezes=frozen).play()
    assert played.code == 5
    assert "2029-03-02" in played.finish.why or "no window opens any more" in played.finish.why


# Berlin skips 02:00 to 03:00 on 2026-03-29, and lives 02:00 to 03:00 twice on 2026-10-25.


@pytest.mark.parametrize(
    ("start", "opens", "closes", "first", "seconds"),
    [
        ("2026-03-29 00:00", 150, 300, "2026-03-29 01:00", 2 * 3600),  # 02:30 does not exist: 03:00 in summer time
        ("2026-03-28 23:00", 60, 150, "2026-03-29 00:00", 3600),  # closes at the change
        ("2026-10-25 00:00", 150, 240, "2026-10-25 00:30", 2.5 * 3600),  # 02:30 comes twice: the first
        ("2026-10-24 22:30", 60, 150, "2026-10-24 23:00", 1.5 * 3600),  # closes at the first coming
    ],
)
def test_nights_in_which_the_clock_changes(start: str, opens: int, closes: int, first: str, seconds: float) -> None:
    window = Window(opens=opens, closes=closes, timezone="Europe/Berlin")
    stage = stage_of(40, lasting(290.0), limits=ONE_BY_ONE, windows=(window,), fit=False)
    stage.start = at(start)
    played = stage.play()
    began = starts(played)
    assert timedelta() <= began[0] - at(first) < timedelta(seconds=3)
    assert timedelta(seconds=seconds) - (began[-1] - at(first)) < timedelta(seconds=330)
    assert began[-1] < at(first) + timedelta(seconds=seconds)


# --- fit --------------------------------------------------------------------------------------------------------------


def test_fit_goes_by_the_durations_learned() -> None:
    """10 minutes are expected, 25 it takes: at 22:50 there is time for 10 minutes, but not for 25."""
    window = (Window(opens=22 * 60, closes=23 * 60, timezone="UTC"),)
    played = stage_of(6, lasting(1500.0), limits=ONE_BY_ONE, windows=window).play()
    assert [instant.minute // 10 for instant in starts(played)] == [0, 2]
    assert "too late to end before 23:00" in played.finish.why
    quick = stage_of(30, lasting(120.0), limits=ONE_BY_ONE, windows=window).play()
    assert max(starts(quick)) > START + timedelta(minutes=52)


def test_without_fit_an_upgrade_may_start_in_the_last_minute_and_is_followed_beyond() -> None:
    window = (Window(opens=22 * 60, closes=23 * 60, timezone="UTC"),)
    played = stage_of(20, lasting(400.0), limits=ONE_BY_ONE, windows=window, fit=False).play()
    assert START + timedelta(minutes=53) < max(starts(played)) < START + timedelta(hours=1)
    assert played.ended_at > START + timedelta(hours=1)
    assert set(played.outcomes()) == {"succeeded", "waiting"}


def test_what_is_open_when_the_window_closes_is_followed_to_its_end() -> None:
    window = (Window(opens=22 * 60, closes=22 * 60 + 30, timezone="UTC"),)
    played = stage_of(5, lasting(3000.0), windows=window).play()
    assert played.outcomes() == {"succeeded": 5}


# --- each instance's own window ---------------------------------------------------------------------------------------


def test_every_instance_keeps_to_its_own_window_and_all_get_their_turn() -> None:
    own = ("22:00-23:00", "23:30-00:30", "02:00-06:00")
    proxies = [
        replace(target, facts=Facts(maintenance_window=own[number % 3])) for number, target in enumerate(targets_of(30))
    ]
    plan = plan_of(proxies, windows="instance", failures=LENIENT, waves=ALL, limits=replace(FREE, in_flight=Amount(4)))
    played = Stage(plan=plan, wait_s=86400.0).play()
    assert played.outcomes() == {"succeeded": 30}
    assert check_starts(plan, played.records) == 30
    assert {own_window(target) for target in plan.proxies} == {own_window(each) for each in proxies[:3]}


def test_a_busy_instance_whose_own_window_closes_is_deferred() -> None:
    def busy(cloud: FakeCloud) -> None:
        cloud.add_foreign(next(iter(cloud.proxies.values())).instance_id, -100, Fate(duration_s=1e6))

    proxies = [replace(target, facts=Facts(maintenance_window="21:00-22:30")) for target in targets_of(2)]
    plan = plan_of(proxies, windows="instance", failures=LENIENT, waves=ALL, limits=FREE)
    played = Stage(plan=plan, cloud_of=busy).play()
    assert played.outcomes() == {"succeeded": 1, "deferred": 1}
    assert played.ended_at < START + timedelta(minutes=30)


def test_a_start_outside_a_window_is_seen() -> None:
    plan = plan_of(targets_of(1), windows=(NIGHT,))
    records: list[Record] = stage_of(1).play().of(Intent)
    with pytest.raises(AssertionError, match="outside windows"):
        check_starts(plan, records)
