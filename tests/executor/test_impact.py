"""The impact of upgrades on virtual time: what is measured, what is missing, and what that costs."""

from typing import Any

import pytest
from fakes.eyes import Eyes
from fakes.rollouts import stage_of
from fakes.stage import Played, Stage, later, resume

from orchestrator.model.learned.impact import impact_of
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Limits
from orchestrator.model.record.record import ImpactSampled, MetricsMissing, RunEnded

ONE_BY_ONE = Limits(in_flight=Amount(1), rate=50.0, ramp=False)


def measuring(eyes: Eyes, number: int = 4, **changes: Any) -> Stage:
    stage = stage_of(number, impact="cloud_eye", **changes)
    stage.eye_of = eyes
    return stage


def measured(played: Played) -> list[ImpactSampled]:
    return list(played.of(ImpactSampled))


def test_each_upgrade_is_measured_from_before_it_to_after_it() -> None:
    played = measuring(Eyes(slower=1.2)).play()
    assert played.of(RunEnded)
    assert {record.target for record in measured(played)} == set(played.run.targets)
    for record in measured(played):
        impact = impact_of(record)
        assert record.missing == ""
        assert (impact.connections_before, impact.connections_min, impact.connections_after) == (100.0, 50.0, 100.0)
        assert impact.seconds_below_90_percent == 60.0
        assert (impact.response_ms_before, impact.response_ms_after) == pytest.approx((5.0, 6.0))
        assert impact.samples >= 10 + 15


def test_a_session_that_is_done_waits_for_the_last_minutes_and_no_longer() -> None:
    without = stage_of(4).play()
    played = measuring(Eyes()).play()
    assert 15 * 60 < played.seconds - without.seconds < 20 * 60
    hurried = measuring(Eyes())
    hurried.wait_s = 60.0
    assert hurried.play().seconds < without.seconds + 120


def test_what_a_session_could_not_measure_is_said_and_measured_by_the_next_one() -> None:
    stage = measuring(Eyes(), 6, limits=ONE_BY_ONE)
    stage.script = (later(25 * 60.0, lambda dispatcher: dispatcher.stop("enough")),)
    first = stage.play()
    unfinished = [record for record in measured(first) if record.missing]
    assert unfinished
    assert all(record.missing.startswith("the session ended ") for record in unfinished)
    second = resume(stage, first).play()
    assert second.of(RunEnded)
    for state in second.run.states.values():
        assert state.impact is not None
        assert (state.impact.missing, impact_of(state.impact).connections_before) == ("", 100.0)


def test_without_the_permission_one_line_says_so_and_nothing_waits() -> None:
    without = stage_of(4).play()
    eyes = Eyes(forbidden=True)
    played = measuring(eyes).play()
    missing = played.of(MetricsMissing)
    assert len(missing) == 1
    assert "ces:metricData:list" in missing[0].why
    assert len(eyes.calls) == 1
    assert measured(played) == []
    assert played.outcomes() == without.outcomes()
    assert [line for line in played.run.warnings if "ces:metricData:list" in line]


def test_calls_are_split_when_the_cloud_takes_fewer() -> None:
    eyes = Eyes(most=10)
    played = measuring(eyes, 6).play()
    assert len(measured(played)) == 6
    assert all(record.missing == "" for record in measured(played))
    assert eyes.calls.count(max(eyes.calls)) == 1


def test_minutes_that_never_come_are_not_made_up() -> None:
    played = measuring(Eyes(lost=lambda minute: minute % 2 == 0)).play()
    for record in measured(played):
        minutes = [sample[0] for sample in record.samples]
        assert all(minute % 2 for minute in minutes)
        assert impact_of(record).samples == len(minutes)
