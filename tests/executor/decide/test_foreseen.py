"""When something may start, and when all may be done: what the limits bear and the calendar allows."""

from datetime import datetime, timedelta
from typing import Any

from fakes.clock import START
from fakes.stage import fold_all, plan_of, targets_of

from orchestrator.app.status.outlook import look
from orchestrator.executor.decide.foreseen import expected_end, next_start, time_left_s
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Failures, Freeze, Limits, Wave, Window
from orchestrator.model.record import record as r

TARGETS = targets_of(12)
#: Twelve targets, four at once, ten minutes each: half an hour.
LIMITS = Limits(in_flight=Amount(4), ramp=False, per_instance=4)
OPEN = r.WaveOpened(at=START, wave="all")
HALF_AN_HOUR = timedelta(minutes=30)
#: Begins at 22:00 UTC, as the tests do, and lasts 20 minutes.
NIGHTLY = Window(opens=22 * 60, closes=22 * 60 + 20, timezone="UTC")


def rollout(*records: r.Record, under_way: int = 0, **plan: Any) -> Rollout:
    values = {"waves": (Wave(name="all"),), "limits": LIMITS, "failures": Failures(mode="soft"), "fit": False}
    made = plan_of(TARGETS, **{**values, **plan})
    sent = [
        r.Intent(
            at=START, target=each.proxy_id, attempt=1, wave="all", token="t", source_version="1", target_version="2"
        )
        for each in TARGETS[:under_way]
    ]
    return look(made, fold_all(made, (OPEN, *sent, *records)), (), START, working=True).rollout


def at(day: int, hour: int, minute: int) -> datetime:
    return START.replace(day=day, hour=hour, minute=minute)


def test_the_time_left_does_not_jump_with_what_is_under_way() -> None:
    assert {time_left_s(rollout(under_way=number)) for number in range(5)} == {1800.0}


def test_without_a_calendar_it_starts_now_and_ends_after_the_time_that_is_left() -> None:
    plain = rollout()
    assert (next_start(plain, START), expected_end(plain, START)) == (START, START + HALF_AN_HOUR)


def test_the_end_waits_for_the_window_of_the_next_night() -> None:
    assert expected_end(rollout(windows=(NIGHTLY,)), START) == at(2, 22, 10)


def test_it_starts_when_the_window_opens_and_when_the_soak_has_ended() -> None:
    closed, soaks = rollout(windows=(NIGHTLY,)), START + timedelta(hours=1)
    assert next_start(closed, at(1, 22, 30)) == at(2, 22, 0)
    assert next_start(rollout(r.WaveSoaking(at=START, wave="all", until=soaks)), START) == soaks


def test_the_end_is_beyond_a_freeze_that_it_cannot_be_before() -> None:
    frozen = Freeze(start="2026-03-02", end="2026-03-03", timezone="UTC")
    assert expected_end(rollout(freezes=(frozen,)), at(1, 23, 50)) == at(4, 0, 20)


def test_nothing_is_foreseen_while_a_person_has_to_act_first() -> None:
    held = rollout(r.HoldSet(at=START, cause="person", reason="stop", by="ann"))
    assert (next_start(held, START), expected_end(held, START)) == (None, None)


def test_no_end_is_guessed_when_each_instance_has_its_own_window() -> None:
    assert expected_end(rollout(windows="instance"), START) is None


def test_an_end_that_is_years_away_is_no_end() -> None:
    slow = Limits(in_flight=Amount(1), ramp=False)
    minute = Window(opens=0, closes=1, timezone="UTC", days=(0,))
    assert expected_end(rollout(windows=(minute,), limits=slow), START) is None
