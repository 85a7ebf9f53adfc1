"""`limits.per_window`: so many attempts in a window, over all sessions, and what is said when they are made."""

from array import array
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fakes.clock import START
from fakes.rollouts import FREE, rollout_of, stage_of
from fakes.stage import Played, plan_of, resume, targets_of
from judge.per_window import per_window_violations
from msgspec.structs import replace

from orchestrator.executor.decide.foreseen import expected_end, next_start
from orchestrator.executor.decide.limits import room
from orchestrator.executor.decide.opening.closed import closed_wait
from orchestrator.executor.decide.opening.per_window import starts_left, used_up
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.executor.decide.waits import on_calendar
from orchestrator.model.plan.plan import Failures, Freeze, Plan, Window
from orchestrator.model.record.record import Intent

NIGHT = Window(opens=21 * 60, closes=23 * 60, timezone="UTC")
LATE = Window(opens=22 * 60, closes=60, timezone="UTC")
TWO = replace(FREE, per_window=2)
DAY = timedelta(days=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def rollout(*starts: str, most: int = 2, zone: str = "UTC", ahead: timedelta = timedelta(), **keys: Any) -> Rollout:
    made = rollout_of(plan_of(targets_of(4), limits=replace(FREE, per_window=most), **keys))
    made.run.sent_at = array("d", sorted(at(start).timestamp() for start in starts))
    made.zone, made.ahead = ZoneInfo(zone), lambda: ahead
    return made


def starts(played: Played) -> list[datetime]:
    return [record.at for record in played.of(Intent)]


def test_each_window_that_is_open_counts_by_itself() -> None:
    seen = rollout("2026-03-01 21:30", "2026-03-01 22:30", windows=(NIGHT, LATE))

    assert starts_left(seen, at("2026-03-01 21:40")) == 0
    assert starts_left(seen, at("2026-03-01 22:40")) == 0
    assert starts_left(seen, at("2026-03-01 23:10")) == 1
    assert starts_left(seen, at("2026-03-02 21:00")) == 2


@pytest.mark.parametrize(
    ("zone", "now", "left"),
    [("UTC", "2026-03-01 23:59", 1), ("UTC", "2026-03-02 00:00", 2), ("Asia/Shanghai", "2026-03-01 16:00", 2)],
)
def test_without_windows_a_day_of_the_host_counts(zone: str, now: str, left: int) -> None:
    assert starts_left(rollout("2026-03-01 15:59", zone=zone), at(now)) == left


def test_the_calendar_counts_and_not_the_clock_of_the_session() -> None:
    seen = rollout("2026-03-01 23:00", "2026-03-01 23:00", ahead=timedelta(hours=2))

    assert starts_left(seen, at("2026-03-01 21:59")) == 0
    assert used_up(seen, at("2026-03-01 21:59")).until == at("2026-03-01 22:00")  # type: ignore[union-attr]
    assert starts_left(seen, at("2026-03-01 22:00")) == 2


def test_a_new_day_begins_at_midnight_however_the_calendar_is_measured() -> None:
    """How far it is ahead comes out a little different each time."""
    aheads = (timedelta(hours=2, microseconds=number % 3) for number in count(1))
    seen = rollout("2026-03-01 23:00", "2026-03-01 23:00")
    seen.ahead = lambda: next(aheads)
    for _ in range(3):
        wait = closed_wait(seen, used_up(seen, at("2026-03-01 21:30")), at("2026-03-01 21:30"))  # type: ignore[arg-type]
        assert "00:00" in wait.reason, wait.reason
        until = used_up(seen, at("2026-03-01 21:30")).until  # type: ignore[union-attr]
        assert on_calendar(until, seen.ahead()) == at("2026-03-02 00:00")  # type: ignore[arg-type]


def test_room_comes_with_the_next_window_that_no_freeze_covers() -> None:
    frozen = Freeze(start="2026-03-02", end="2026-03-02", timezone="UTC")
    made = ("2026-03-01 22:10", "2026-03-01 22:20")

    assert next_start(rollout(*made, windows=(NIGHT,)), at("2026-03-01 22:30")) == at("2026-03-02 21:00")
    frozen_too = rollout(*made, windows=(NIGHT,), freezes=(frozen,))
    assert next_start(frozen_too, at("2026-03-01 22:30")) == at("2026-03-03 21:00")
    assert next_start(rollout(*made), at("2026-03-01 22:30")) == at("2026-03-02 00:00")


def test_no_end_is_foreseen_of_what_is_left_for_a_later_window() -> None:
    assert expected_end(rollout("2026-03-01 22:10"), at("2026-03-01 22:30")) is None
    assert expected_end(rollout(most=4), at("2026-03-01 22:30")) is not None


def test_no_more_start_in_a_window_though_sessions_come_and_go() -> None:
    stage = stage_of(7, limits=TWO, windows=(NIGHT,))
    played = stage.play()
    assert (played.outcomes(), played.code) == ({"succeeded": 2, "waiting": 5}, 5)
    assert "per_window 2 is used up: next possible start 2026-03-02 21:00:00 UTC" in played.finish.why

    again = resume(stage, played).play()
    assert len(starts(again)) == 2

    for day in (1, 2, 3):
        again = resume(stage, again, start=at("2026-03-01 22:00") + day * DAY).play()
    assert again.outcomes() == {"succeeded": 7}
    assert not list(per_window_violations(stage.plan, again.records))
    assert list(per_window_violations(_one_less(stage.plan), again.records))


def test_an_attempt_that_was_cut_off_counts() -> None:
    """As when the process is killed between the intent and its answer."""
    stage = stage_of(4, limits=TWO)
    played = stage.play()
    first = next(number for number, record in enumerate(played.records) if isinstance(record, Intent))
    cut = resume(stage, played, start=START + timedelta(minutes=1))
    cut.records = played.records[: first + 1]

    assert not list(per_window_violations(stage.plan, cut.play().records))


def test_what_waits_for_its_turn_keeps_its_place_in_the_window() -> None:
    """Many are taken up at once; a slow rate lets none of them slip in beside."""
    stage = stage_of(9, limits=replace(TWO, rate=0.1, per_window=4))
    stage.wait_s = 0.0
    played = stage.play()

    assert len(starts(played)) == 4


def test_who_waits_for_its_turn_leaves_others_that_much_less_room() -> None:
    seen = rollout(most=3, failures=Failures(mode="soft"))
    first, *_ = seen.run.targets
    assert room(seen, START).free == 3
    seen.queue.starting[first] = "canary"
    assert (room(seen, START).free, room(seen, START).why) == (2, "per_window 3")


def test_a_session_that_waits_goes_on_in_the_next_window() -> None:
    stage = stage_of(4, limits=TWO)
    stage.wait_s = 3 * 3600.0
    played = stage.play()

    assert played.outcomes() == {"succeeded": 4}
    assert [each.date().day for each in starts(played)] == [1, 1, 2, 2]


def _one_less(plan: Plan) -> Plan:
    return replace(plan, limits=replace(plan.limits, per_window=1))
