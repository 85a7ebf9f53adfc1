"""The course of a run: what kept upgrades from starting, from when to when, and how many calls were made. Bounded."""

from datetime import datetime, timedelta
from itertools import pairwise

from fakes.recorded import BEGIN, empty_run, make_plan, make_targets, run_started
from msgspec.structs import replace

from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.limit_change import LimitChange
from orchestrator.model.record import record as r
from orchestrator.model.record.record import Record
from orchestrator.model.run.night import Period
from orchestrator.model.run.run import Run


def at(minutes: float) -> datetime:
    return BEGIN + timedelta(minutes=minutes)


def fold(*records: Record) -> Run:
    targets = make_targets(2)
    run = empty_run(make_plan(targets), targets)
    for record in (run_started(2), *records):
        run.apply(record)
    return run


def session(minutes: float, number: int = 1) -> r.SessionStarted:
    return r.SessionStarted(at=at(minutes), number=number, pid=1, host="h", orchestrator_version="0", user="ana")


def spans(run: Run, kind: str) -> list[tuple[float, float | None]]:
    return [
        (
            (each.begin - BEGIN) / timedelta(minutes=1),
            None if each.end is None else (each.end - BEGIN) / timedelta(minutes=1),
        )
        for each in run.night.periods
        if each.kind == kind
    ]


def throttled(minutes: float, until: float) -> r.ScopeThrottled:
    return r.ScopeThrottled(at=at(minutes), scope="default", until=at(until), why="429")


def held(minutes: float) -> r.HoldSet:
    return r.HoldSet(at=at(minutes), cause="failures", reason="2 failed")


def test_a_hold_lasts_until_its_release_also_over_sessions() -> None:
    run = fold(session(0), held(5), r.SessionEnded(at=at(6), exit_code=3, why=""), session(10, 2))
    assert spans(run, "held") == [(5, None)]
    run.apply(r.HoldReleased(at=at(11), by="ana", note="ok"))
    assert spans(run, "held") == [(5, 11)]


def test_an_approval_ends_the_hold_that_waited_for_it() -> None:
    hold = r.HoldSet(at=at(5), cause="approval", reason="wave rest", wave="rest")
    run = fold(session(0), hold, r.WaveApproved(at=at(9), wave="rest", by="ana", note="go"))
    assert spans(run, "held") == [(5, 9)]


def test_a_scope_is_throttled_until_then_or_until_it_is_open_again() -> None:
    run = fold(session(0), throttled(1, 4), throttled(10, 20), r.ScopeOpened(at=at(12), scope="default"))
    assert spans(run, "throttled") == [(1, 4), (10, 12)]


def test_throttling_that_goes_on_is_one_period() -> None:
    run = fold(session(0), throttled(1, 4), throttled(2, 6), throttled(6, 7))
    assert spans(run, "throttled") == [(1, 7)]
    assert run.night.periods[-1].times == 3


def test_a_process_that_died_ends_with_its_last_record() -> None:
    paused = r.ScopePaused(at=at(3), scope="default", why="gone")
    run = fold(
        session(0), paused, r.ScopeUsed(at=at(4), scope="default", calls=1, throttled=0, rate_limit=2.0, seconds=30.0)
    )
    assert spans(run, "paused") == [(3, None)]
    run.apply(session(60, 2))
    assert spans(run, "paused") == [(3, 4)]
    assert spans(run, "session") == [(0, 4), (60, None)]


def test_however_long_a_night_is_it_stays_small_and_loses_no_call() -> None:
    run = fold(session(0))
    for number in range(5001):
        run.apply(r.ScopeUsed(at=at(number), scope="default", calls=2, throttled=1, rate_limit=2.0, seconds=30.0))
        run.apply(throttled(number + 0.1, number + 0.2))
    calls = run.night.calls["default"]
    assert len(calls) <= 1024
    assert (sum(each.calls for each in calls), sum(each.throttled for each in calls)) == (10_002, 5001)
    assert [one.end <= other.begin for one, other in pairwise(calls)].count(False) == 0
    assert len(run.night.periods) <= 2000
    assert sum(each.times for each in run.night.periods if each.kind == "throttled") == 5001


def test_a_copy_changes_no_more() -> None:
    run = fold(session(0), held(5))
    copy = run.night.copy()
    run.apply(r.HoldReleased(at=at(11), by="ana", note="ok"))
    assert copy.periods[-1] == Period(kind="held", begin=at(5), why="2 failed")


def limited(minutes: float, in_flight: int | None) -> r.LimitsChanged:
    change = LimitChange(in_flight=None if in_flight is None else Amount(in_flight))
    return r.LimitsChanged(at=at(minutes), limits=change, by="ana", note="calm")


def test_what_may_be_under_way_is_known_from_when_on() -> None:
    begun = [replace(session(minute, number), in_flight=Amount(8)) for minute, number in ((0, 1), (20, 2))]
    run = fold(begun[0], limited(5, 4), limited(6, 4), begun[1], limited(30, None))
    assert [((when - BEGIN) / timedelta(minutes=1), amount.value) for when, amount in run.night.in_flight] == [
        (0, 8),
        (5, 4),
        (30, 8),
    ]
    assert run.night.copy().in_flight == run.night.in_flight


def test_a_journal_that_does_not_say_what_the_plan_allows_tells_nothing() -> None:
    assert fold(session(0), limited(5, None)).night.in_flight == []
