"""What `status` tells of the clocks."""

from datetime import timedelta

from fakes.clock import START
from fakes.stage import fold_all, plan_of, targets_of

from orchestrator.app.status.clocks import calendar_ahead, clock_lines, steady
from orchestrator.model.record.record import ClockStepped, CloudTimeLearned, Record
from orchestrator.model.run.run import Run


def run_of(*records: Record) -> Run:
    return fold_all(plan_of(targets_of(1)), records)


def learned(offset_s: float) -> Record:
    return CloudTimeLearned(at=START, scope="default", offset_s=offset_s)


def test_clocks_that_agree_are_not_mentioned() -> None:
    run = run_of(learned(2.0))
    assert list(clock_lines(run)) == []
    assert steady(run, START) == START
    assert calendar_ahead(run) == timedelta()


def test_a_step_and_a_wrong_clock_are_told_and_windows_follow_the_cloud() -> None:
    run = run_of(learned(2.0), ClockStepped(at=START, clock="host", by_s=3600.0))
    stepped, wrong = clock_lines(run)
    assert stepped.startswith("this host's clock was set forward by 3600 s at 2026-03-01 22:00:00 UTC")
    assert wrong.startswith("this host's clock is 3598 s ahead of the cloud's: windows")
    assert steady(run, START + timedelta(hours=1)) == START
    assert calendar_ahead(run) == timedelta(seconds=2)


def test_a_step_of_the_cloud_is_told_by_its_scope() -> None:
    run = run_of(learned(-600.0), ClockStepped(at=START, clock="cloud", by_s=-600.0, scope="default"))
    stepped, wrong = clock_lines(run)
    assert stepped.startswith("the clock of the cloud of scope default was set back by 600 s")
    assert "600 s ahead of the cloud's" in wrong


def test_a_step_of_one_hosts_clock_does_not_concern_who_goes_by_the_clock_that_hosts_share() -> None:
    run = run_of(learned(2.0), ClockStepped(at=START, clock="host", by_s=3600.0))
    assert steady(run, START, shared=True) == START
