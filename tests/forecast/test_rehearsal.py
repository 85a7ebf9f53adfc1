"""The rehearsal: virtual time, the slots of a rate, the real decisions on it, and what is told of a run."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import anyio
import pytest
from fakes.clock import START, VirtualClock, run_virtual
from fakes.rehearsals import SOFT
from fakes.stage import plan_of, targets_of
from msgspec.structs import replace

from orchestrator.executor.rate.fixed_rate import WindowPacer
from orchestrator.executor.rate.lane import Lane
from orchestrator.executor.rate.lanes import Lanes
from orchestrator.forecast.environment import Setting
from orchestrator.forecast.forecast import rehearse, rehearse_once
from orchestrator.forecast.phases import longest, phases
from orchestrator.forecast.result import Rehearsal
from orchestrator.forecast.simulate import play
from orchestrator.forecast.uncertain_durations import Knowledge
from orchestrator.forecast.virtual_lanes import Call, VirtualLanes
from orchestrator.forecast.virtual_time import EventQueue, Permits, Process
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Failures, Follow, Freeze, Limits, Plan, Wave, Window
from orchestrator.model.plan.target import Facts
from orchestrator.planner.next_run import Asked
from orchestrator.planner.preview.forecast_text import rehearsed_lines
from orchestrator.planner.preview.forecast_values import Rehearsed
from orchestrator.planner.waves import assign_waves

ALL = (Wave(name="all"),)
FREE = Limits(in_flight=Amount(1000), concurrency=50, rate=50.0, ramp=False, per_instance=100)
NIGHT = Window(opens=23 * 60, closes=4 * 60, timezone="UTC")


def plan(number: int, **changes: Any) -> Plan:
    return plan_of(targets_of(number), **{"waves": ALL, "limits": FREE, "failures": SOFT, **changes})


def setting_of(plan: Plan, send_s: float = 0.2, left_out: frozenset[str] = frozenset()) -> Setting:
    return Setting(
        plan=plan,
        targets=plan.proxies,
        staging=assign_waves(plan, plan.proxies, left_out),
        left_out=left_out,
        start=START,
        typical_s=plan.follow.expected_s,
        send_s=send_s,
    )


def told(plan: Plan, **changes: Any) -> Rehearsal:
    """A rehearsal in which every upgrade takes exactly as long as expected."""
    return play(setting_of(plan, **changes), lambda: plan.follow.expected_s)


def forecast(plan: Plan, **changes: Any) -> Rehearsed:
    return rehearse(plan, plan.proxies, **{"start": START, **changes})


# --- virtual time -----------------------------------------------------------------------------------------------------


def test_things_happen_in_the_order_of_time_and_then_of_arrival() -> None:
    events, heard = EventQueue(START), []

    def say(word: str, *waits: float) -> Process:
        for wait in waits:
            yield wait
            heard.append((events.now_s, word))

    for process in (say("a", 2.0, 1.0), say("b", 1.0, 2.0), say("c", 3.0)):
        events.resume(process)
    while events.step():
        pass
    assert heard == [(1.0, "b"), (2.0, "a"), (3.0, "c"), (3.0, "b"), (3.0, "a")]
    assert events.now == START + timedelta(seconds=3)


def test_permits_are_had_in_turn() -> None:
    events, heard = EventQueue(START), []
    permits = Permits(events, 2)

    def work(word: str) -> Process:
        yield permits
        heard.append((events.now_s, word))
        yield 10.0
        permits.release()

    for word in "abcd":
        events.resume(work(word))
    while events.step():
        pass
    assert heard == [(0.0, "a"), (0.0, "b"), (10.0, "c"), (10.0, "d")]


@pytest.mark.parametrize("seed", range(6))
def test_slots_are_given_as_the_executor_gives_them(seed: int) -> None:
    """The lanes on the events and the lanes on an event loop let the same callers through at the same instants."""
    random = Random(seed)
    rate = random.choice((0.5, 2.0, 10.0))
    lanes = [random.choice(list(Lane)) for _ in range(80)]
    callers = [(random.uniform(0, 60 / rate), lane) for lane in lanes]
    assert by_virtual_lanes(rate, callers) == pytest.approx(by_lanes(rate, callers), abs=1e-3)


def by_virtual_lanes(rate: float, callers: list[tuple[float, Lane]]) -> list[float]:
    events = EventQueue(START)
    lanes = VirtualLanes(events, rate)
    granted = [0.0] * len(callers)

    def call(number: int, at_s: float, lane: Lane) -> Process:
        yield at_s
        yield Call(lanes, lane, 0.0)
        granted[number] = events.now_s

    for number, (at_s, lane) in enumerate(callers):
        events.resume(call(number, at_s, lane))
    while events.step():
        pass
    assert lanes.calls == len(callers)
    return granted


def by_lanes(rate: float, callers: list[tuple[float, Lane]]) -> list[float]:
    granted = [0.0] * len(callers)

    async def call(lanes: Lanes, number: int, at_s: float, lane: Lane) -> None:
        await anyio.sleep(at_s)
        assert await lanes.turn(lane)
        granted[number] = anyio.current_time()

    async def story() -> None:
        lanes = Lanes(WindowPacer(rate), VirtualClock())
        async with anyio.create_task_group() as group:
            group.start_soon(lanes.serve)
            async with anyio.create_task_group() as calling:
                for number, (at_s, lane) in enumerate(callers):
                    calling.start_soon(call, lanes, number, at_s, lane)
            group.cancel_scope.cancel()

    run_virtual(story)
    return granted


# --- durations --------------------------------------------------------------------------------------------------------


def drawn(known: Knowledge, level: float = 0.5) -> list[float]:
    sampler = known.sampler(level, 1)
    return sorted(sampler() for _ in range(4000))


def test_without_history_durations_scatter_around_the_expected_one() -> None:
    durations = drawn(Knowledge(600.0, 3600.0))
    assert sum(durations) / 4000 == pytest.approx(600, rel=0.03)
    assert durations[200] < 450
    assert durations[3800] > 850
    assert sum(drawn(Knowledge(600.0, 3600.0), 0.95)) / 4000 == pytest.approx(600 * 1.18, rel=0.03)


def test_a_few_durations_seen_give_the_average_and_many_the_whole_distribution() -> None:
    few = drawn(Knowledge(600.0, 3600.0, [100.0, 200.0]))
    assert sum(few) / 4000 == pytest.approx(150, rel=0.03)
    many = drawn(Knowledge(600.0, 3600.0, [100.0] * 15 + [900.0] * 15))
    assert set(many) == {100.0, 900.0}


def test_the_more_was_seen_the_less_is_in_doubt() -> None:
    seen = [80.0, 100.0, 120.0] * 100
    doubts = [Knowledge(600.0, 3600.0, sorted(seen[:count])).doubt for count in (0, 5, 30, 300)]
    assert doubts[0] >= doubts[1] > doubts[2] > doubts[3] > 0.03


def test_no_duration_is_longer_than_an_upgrade_is_followed() -> None:
    assert max(drawn(Knowledge(600.0, 700.0))) == 700.0


# --- one rehearsal ----------------------------------------------------------------------------------------------------


def test_in_flight_decides_how_long_it_takes() -> None:
    """40 targets of 10 minutes, 10 at once: 4 rounds, and a little for calls and looks."""
    found = told(plan(40, limits=replace(FREE, in_flight=Amount(10))))
    assert 2400 < found.ends_s < 2520
    assert (found.peak, found.nights, found.unfinished) == (10, 0, None)
    assert [by for _, by in found.spans] == ["in_flight 10", "the end of wave all"]


@pytest.mark.parametrize(
    ("changes", "send_s", "bound_s"),
    [
        ({"limits": Limits(in_flight=Amount(5), concurrency=50, rate=50.0, ramp=False)}, 0.2, 500 * 600 / 5),
        (
            {"limits": Limits(concurrency=2, rate=50.0, ramp=False), "follow": Follow(to="accepted")},
            4.0,
            500 * 4.0 / 2,
        ),
        (
            {"limits": Limits(in_flight=Amount(5), concurrency=50, rate=0.05, ramp=False), "cloud_events": "off"},
            0.2,
            None,
        ),
    ],
)
def test_the_makespan_is_close_to_the_largest_bound(changes: Any, send_s: float, bound_s: float | None) -> None:
    """One wave, no ramp, 100 times more targets than slots. None: calls / rate."""
    found = told(plan(500, **changes), send_s=send_s)
    assert found.ends_s == pytest.approx(bound_s or found.calls / 0.05, rel=0.05)


def test_waves_come_one_after_the_other_soaked_and_the_last_is_not() -> None:
    waves = (Wave(name="one", size=Amount(2), soak_s=3600.0), Wave(name="two", soak_s=3600.0))
    found = told(plan(6, waves=waves))
    one, two = found.waves.values()
    assert one.ends_s is not None
    assert two.starts_s is not None
    assert 3600 < two.starts_s - one.ends_s < 3610
    assert found.ends_s < 600 + 3600 + 700
    assert "the soak" in {by for _, by in found.spans}


def test_what_is_left_out_costs_one_call_and_is_replaced() -> None:
    everything = plan(10, waves=(Wave(name="one", size=Amount(2)), Wave(name="rest")))
    left_out = frozenset(target.proxy_id for target in everything.proxies[:6])
    found = play(setting_of(everything, left_out=left_out), lambda: 600.0)
    assert found.unfinished is None
    assert found.calls < 4 * 20 + 6 + 40
    assert found.peak == 2


def test_strict_budgets_and_the_ramp_hold_it_up_by_name() -> None:
    strict = told(plan(40, failures=Failures(max=Amount(3))))
    assert (strict.peak, strict.spans[0][1]) == (4, "the strict failures budget 3 of the fleet")
    ramp = told(plan(60, limits=replace(FREE, ramp=True)))
    assert ramp.spans[0][1] == "ramp"


def test_the_rate_is_named_where_it_holds_up() -> None:
    found = told(plan(100, limits=replace(FREE, rate=0.2)))
    assert [by for _, by in found.spans][:1] == ["rate 0.2/s"]


def test_proxies_of_one_instance_wait_for_each_other() -> None:
    one = plan_of(targets_of(4, per_instance=4), waves=ALL, failures=SOFT, limits=replace(FREE, per_instance=1))
    found = told(one)
    assert 2400 < found.ends_s < 2600
    assert "per_instance 1" in {by for _, by in found.spans}
    followed = told(replace(one, follow=Follow(to="accepted")))
    assert followed.ends_s > 1800
    assert followed.unfinished is None


def test_nights_are_counted() -> None:
    found = told(plan(100, windows=(NIGHT,), limits=replace(FREE, in_flight=Amount(2))))
    assert found.nights == 2
    assert [by for _, by in found.spans] == [
        "the window",
        "in_flight 2",
        "the window",
        "in_flight 2",
        "the end of wave all",
    ]


def test_every_instance_has_its_own_night() -> None:
    own = [
        replace(target, facts=Facts(maintenance_window=("22:00-02:00", "03:00-07:00")[number % 2]))
        for number, target in enumerate(targets_of(6))
    ]
    found = told(plan_of(own, waves=ALL, limits=FREE, failures=SOFT, windows="instance"))
    assert (found.nights, found.unfinished) == (1, None)
    assert 5 * 3600 < found.ends_s < 5 * 3600 + 700


def test_a_window_that_is_too_short_is_told_and_not_waited_for_for_ever() -> None:
    found = forecast(plan(3, windows=(Window(opens=0, closes=5, timezone="UTC"),)))
    assert found.unfinished is not None
    assert "too late" in found.unfinished
    assert found.ends_at == START


def test_a_plan_that_is_frozen_for_ever_is_told() -> None:
    found = forecast(plan(3, windows=(NIGHT,), freezes=(Freeze(start="2026-01-01", end="2031-01-01", timezone="UTC"),)))
    assert found.unfinished is not None


# --- phases -----------------------------------------------------------------------------------------------------------


def test_phases_are_few_and_without_gaps() -> None:
    spans = [(0.0, "the window"), (100.0, "ramp")]
    spans += [(200.0 + step, ("in_flight 4", "rate 2/s")[step % 20 == 0]) for step in range(800)]
    spans += [(1000.0, "the window"), (2000.0, "in_flight 4"), (2990.0, "the end of wave all")]
    found = phases(spans, 3000.0)
    assert [spell.by for spell in found] == ["the window", "ramp", "in_flight 4", "the window", "in_flight 4"]
    assert (found[0].starts_s, found[-1].ends_s) == (0.0, 3000.0)
    assert all(one.ends_s == other.starts_s for one, other in pairwise(found))
    assert found[1].ends_s == pytest.approx(200, abs=60)


def test_no_time_has_no_phases() -> None:
    assert phases([(0.0, "ramp")], 0.0) == []


# --- the forecast -----------------------------------------------------------------------------------------------------


def test_a_forecast_is_a_value_and_the_same_every_time() -> None:
    one, other = (forecast(plan(30, limits=replace(FREE, in_flight=Amount(5)))) for _ in range(2))
    assert one == other
    assert one.duration_s.p5 < one.duration_s.p50 < one.duration_s.p95
    assert one.nights is None
    assert (one.samples, one.learned_from, one.typical_s, one.timezone) == (11, 0, 600.0, "UTC")


def test_durations_seen_narrow_the_interval() -> None:
    many = plan(60, limits=replace(FREE, in_flight=Amount(5)))
    vague, sure = forecast(many), forecast(many, seen=[580.0, 600.0, 620.0] * 30)
    assert sure.learned_from == 90
    assert _width(sure) < _width(vague) < 0.5


def _width(found: Rehearsed) -> float:
    return (found.duration_s.p95 - found.duration_s.p5) / found.duration_s.p50


def test_the_smallest_change_that_makes_it_one_night() -> None:
    found = forecast(plan(100, windows=(NIGHT,), limits=replace(FREE, in_flight=Amount(2))))
    assert found.nights is not None
    assert found.nights.p50 == 2
    assert found.one_night is not None
    assert (found.one_night.key, found.one_night.value) == ("limits.in_flight", "4")
    assert found.one_night.duration_s < 6 * 3600
    strict = forecast(plan(100, windows=(NIGHT,), failures=Failures(max=Amount(1))))
    assert strict.one_night is not None
    assert (strict.one_night.key, strict.one_night.value) == ("failures.max", "3")


def test_where_no_single_change_helps_none_is_told() -> None:
    both = plan(400, windows=(NIGHT,), failures=Failures(max=Amount(1)), limits=replace(FREE, in_flight=Amount(2)))
    found = forecast(both)
    assert found.nights is not None
    assert found.nights.p50 > 2
    assert found.one_night is None


def test_one_night_needs_no_change() -> None:
    assert forecast(plan(10, windows=(NIGHT,))).one_night is None


def test_an_approval_is_assumed_and_named() -> None:
    found = forecast(plan(6, waves=(Wave(name="one", size=Amount(1)), Wave(name="two", approve=True))))
    assert (found.approves, found.unfinished) == (("two",), None)


def test_nothing_to_do_is_no_time() -> None:
    nothing = plan(3)
    left_out = frozenset(target.proxy_id for target in nothing.proxies)
    found = forecast(nothing, left_out=left_out)
    assert found.unfinished is None
    assert found.duration_s.p95 < 10
    assert found.waves[0].starts_at is None


def instants(found: Rehearsed) -> Iterator[datetime]:
    yield from (found.starts_at, found.ends_at)
    for phase in found.phases:
        yield from (phase.starts_at, phase.ends_at)


def test_every_instant_is_utc_and_within_the_run() -> None:
    found = forecast(plan(40, windows=(NIGHT,)))
    assert all(found.starts_at <= instant <= found.ends_at for instant in instants(found))
    assert {instant.tzinfo for instant in instants(found)} == {UTC}


# --- a bound on starts ------------------------------------------------------------------------------------------------


def test_the_forecast_says_how_many_upgrades_start_before_a_bound() -> None:
    plan = plan_of(targets_of(12))
    within, beyond = (forecast(plan, bound=START + timedelta(seconds=seconds)) for seconds in (0, 30 * 86_400))
    assert within.bound is not None
    assert beyond.bound is not None
    assert (within.bound.starts.p95, beyond.bound.starts.p5) == (0, 12)
    assert (within.bound.of, beyond.bound.of) == (12, 12)
    assert "12 of 12 upgrades start" in "\n".join(rehearsed_lines(beyond))
    assert forecast(plan).bound is None


def test_the_first_of_two_bounds_counts() -> None:
    until = START + timedelta(hours=2)
    assert Asked(until=until, longest_s=3600).bound(START) == START + timedelta(hours=1)
    assert Asked(until=until, longest_s=9000).bound(START) == until
    assert Asked().bound(START) is None


@pytest.mark.parametrize("windows", [(), (NIGHT,)], ids=["open", "windows"])
def test_one_rehearsal_says_of_the_typical_run_what_many_say_of_it(windows: tuple[Window, ...]) -> None:
    asked = plan(40, windows=windows, waves=(Wave(name="canary", size=Amount(2)), Wave(name="rest")))
    alone, many = rehearse_once(asked, asked.proxies, start=START), forecast(asked)
    assert alone.duration_s.p50 == many.duration_s.p50
    assert many.duration_s.p50 == pytest.approx((many.ends_at - START).total_seconds(), abs=1)
    assert many.duration_s.p5 <= many.duration_s.p50 <= many.duration_s.p95
    assert (alone.calls.p50, alone.limited_by) == (many.calls.p50, many.limited_by)
    assert [each.limited_by for each in alone.waves] == [each.limited_by for each in many.waves]


def test_what_holds_a_stretch_up_longest_is_told_of_it() -> None:
    spans = [(0.0, "ramp"), (10.0, "rate 2/s"), (40.0, "the end of wave one"), (60.0, "the end of wave two")]
    assert longest(spans, 0.0, 100.0) == "the length of one upgrade", "of both waves together"
    assert longest(spans, 0.0, 40.0) == "rate 2/s"
    assert longest(spans, 0.0, 12.0) == "ramp"
    assert longest([], 0.0, 10.0) is None


def test_what_is_left_out_unread_costs_no_call() -> None:
    everything = plan(10)
    ids = frozenset(target.proxy_id for target in everything.proxies[:6])
    read, unread = (forecast(everything, left_out=ids, unread=some).calls.p50 for some in (frozenset(), ids))
    assert read - unread == 6


def test_a_plan_that_measures_impact_is_rehearsed_to_its_end() -> None:
    """However long a rehearsal would wait for the last minutes to be read."""
    measured = rehearse_once(plan_of(targets_of(2), impact="cloud_eye"), targets_of(2), start=START)
    assert measured.unfinished is None
