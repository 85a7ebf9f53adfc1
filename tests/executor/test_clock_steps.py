"""Steps of the clocks on virtual time: nothing is sent, given up or opened too early, and nothing stands still."""

from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from itertools import count, pairwise
from typing import Any

import msgspec
import pytest
from fakes import acts
from fakes.acts import Act, Fate
from fakes.clock import START
from fakes.clouds import FakeCloud
from fakes.stage import Played, Stage, later, plan_of, resume, targets_of

from orchestrator.executor.dispatch import Background, Dispatcher
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Failures, Follow, Limits, Retry, Wave, Window
from orchestrator.model.plan.target import Facts
from orchestrator.model.record.record import (
    AttemptDisproved,
    ClockStepped,
    FollowTimedOut,
    Intent,
    Postponed,
    WaveDone,
    WaveSoaking,
)

HOUR, DAY = 3600.0, 86400.0
STEPS = {"+1 h": HOUR, "+2 d": 2 * DAY, "-2 h": -2 * HOUR, "none": 0.0}
PERIOD_S = 900.0
CROWD = Limits(ramp=False, in_flight=Amount(12))

every_step = pytest.mark.parametrize("step_s", STEPS.values(), ids=STEPS)
with_and_without_date = pytest.mark.parametrize("dated", [True, False], ids=["Date", "no Date"])


def host(by_s: float, after_s: float = 30.0) -> Background:
    """The wall clock of the host is set in mid-session."""

    def step(dispatcher: Dispatcher) -> None:
        clock: Any = dispatcher.session.clock
        clock.ahead_s += by_s

    return later(after_s, step)


def cloud(by_s: float, after_s: float = 30.0) -> Background:
    """The clocks of the cloud are set in mid-session."""

    def step(dispatcher: Dispatcher) -> None:
        for calls in dispatcher.session.scopes.values():
            api: Any = calls.api
            api.offset_s += by_s

    return later(after_s, step)


def stage(
    script: Sequence[Act] = (), *, dated: bool = True, targets: int = 2, fate: Fate | None = None, **changes: Any
) -> Stage:
    """The second target has a script; the first one shows that such jobs are listed."""
    values = {
        "waves": (Wave(name="all"),),
        "limits": Limits(ramp=False, in_flight=Amount(1)),
        "failures": Failures(max=Amount(10)),
        "follow": Follow(expected_s=300.0),
    }

    def prepare(found: FakeCloud) -> None:
        found.dated = dated
        found.default_fate = fate or Fate(duration_s=100.0)
        last = list(found.proxies)[-1]
        found.acts[last] = list(script)

    targets_ = sorted(targets_of(targets), key=lambda target: target.proxy_id)
    return Stage(plan=plan_of(targets_, **{**values, **changes}), cloud_of=prepare)


def waits(played: Played) -> list[float]:
    """True seconds between the upgrade calls for each proxy that had several."""
    calls: dict[str, list[float]] = {}
    for call in played.cloud.calls:
        if call.name == "upgrade":
            calls.setdefault(call.key, []).append(call.at.timestamp())
    return [later_s - at_s for times in calls.values() for at_s, later_s in pairwise(times)]


def lost(**changes: Any) -> Stage:
    """Every first call is lost without effect, but that of the target that goes first."""
    made = stage(**changes)
    prepare = made.cloud_of

    def lose(found: FakeCloud) -> None:
        prepare(found)
        for proxy_id in found.proxies:
            found.acts[proxy_id] = [acts.LOST_REQUEST]
        found.acts[_first(made)] = []

    made.cloud_of = lose
    return made


def _first(made: Stage) -> str:
    from orchestrator.model.plan.order import order_key  # noqa: PLC0415  # the order in which a wave draws

    return min((t.proxy_id for t in made.plan.proxies), key=lambda key: order_key(made.plan.name, key))


# --- in one session ---------------------------------------------------------------------------------------------------


@every_step
@pytest.mark.parametrize("whose", [host, cloud])
@with_and_without_date
def test_no_step_shortens_or_stretches_a_doubt(
    step_s: float, whose: Callable[[float, float], Background], dated: bool
) -> None:
    made = lost(dated=dated)
    made.script = (whose(step_s, 200.0),)
    played = made.play()
    assert played.outcomes() == {"succeeded": 2}
    (waited_s,) = waits(played)
    most_s = PERIOD_S + (max(0.0, -step_s) if whose is cloud and dated else 0.0)
    assert PERIOD_S <= waited_s <= most_s + 330


@every_step
@pytest.mark.parametrize("whose", [host, cloud])
def test_no_step_shortens_or_stretches_a_follow(step_s: float, whose: Callable[[float, float], Background]) -> None:
    made = stage(targets=1, fate=Fate(duration_s=1e7, flips=None), follow=Follow(timeout_s=2000.0))
    made.script = (whose(step_s, 100.0),)
    played = made.play()
    (timed_out,) = played.of(FollowTimedOut)
    most_s = 2000 + (max(0.0, -step_s) if whose is cloud else 0.0)
    assert 1999 <= (timed_out.at - START).total_seconds() <= most_s + 60


@every_step
def test_an_upgrade_that_ends_is_seen_to_end_whatever_the_clock_shows(step_s: float) -> None:
    made = stage(targets=12, limits=CROWD, failures=Failures(mode="soft"), fate=Fate(duration_s=300.0))
    made.script = (host(step_s, 40.0),)
    played = made.play()
    assert played.outcomes() == {"succeeded": 12}
    assert played.seconds < 450


@every_step
@pytest.mark.parametrize("whose", [host, cloud])
def test_no_step_shortens_or_stretches_a_soak(step_s: float, whose: Callable[[float, float], Background]) -> None:
    waves = (Wave(name="canary", size=Amount(1), soak_s=1800.0), Wave(name="rest"))
    made = stage(waves=waves)
    made.script = (whose(step_s, 300.0),)
    played = made.play()
    (soaking,), done = played.of(WaveSoaking), played.of(WaveDone)
    most_s = 1800 + (max(0.0, -step_s) if whose is cloud else 0.0)
    assert 1800 <= (done[0].at - soaking.at).total_seconds() <= most_s + 60


@every_step
def test_no_step_shortens_or_stretches_a_busy_wait(step_s: float) -> None:
    made = stage([acts.BUSY, acts.BUSY], targets=1)
    made.script = (host(step_s, 30.0),)
    played = made.play()
    first, second = waits(played)
    assert 60 <= first <= 75
    assert 120 <= second <= 135


@pytest.mark.parametrize(("whose", "clock"), [(host, "host"), (cloud, "cloud")])
def test_a_step_is_a_record(whose: Callable[[float, float], Background], clock: str) -> None:
    made = stage()
    made.script = (whose(HOUR, 50.0),)
    (stepped,) = made.play().of(ClockStepped)
    assert (stepped.clock, round(stepped.by_s)) == (clock, 3600)


def test_clocks_that_agree_write_no_steps_and_the_offset_once() -> None:
    played = stage().play()
    assert not played.of(ClockStepped)
    assert [type(record).__name__ for record in played.records].count("CloudTimeLearned") == 1


# --- a single Date ----------------------------------------------------------------------------------------------------

YEARS_S = 25 * 365 * DAY


def shows(made: Stage, by_s: float, reads: Collection[int]) -> Stage:
    """The `Date` of these reads, by their number, is wrong."""
    prepare, numbers = made.cloud_of, count()

    def read(found: FakeCloud) -> None:
        found.offset_s = by_s if next(numbers) in reads else 0.0

    def tell(found: FakeCloud) -> None:
        prepare(found)
        found.reads = lambda _name, _key, _number: read(found)

    made.cloud_of = tell
    return made


def soaked() -> Stage:
    waves = (Wave(name="canary", size=Amount(1), soak_s=1800.0), Wave(name="rest"))
    return stage(waves=waves, follow=Follow(expected_s=300.0, poll_s=10.0))


far = pytest.mark.parametrize("by_s", [-YEARS_S, YEARS_S], ids=["2001", "2051"])


def soak_lasts_s(made: Stage) -> float:
    played = made.play()
    (soaking,), done = played.of(WaveSoaking), played.of(WaveDone)
    assert played.outcomes() == {"succeeded": 2}
    return float((done[0].at - soaking.at).total_seconds())


@far
@pytest.mark.parametrize("number", range(9))
def test_one_wrong_date_holds_up_no_soak(by_s: float, number: int) -> None:
    assert 1800 <= soak_lasts_s(shows(soaked(), by_s, {number})) <= 1860


@far
@pytest.mark.parametrize("reads", [{0, 1}, {3, 4}, range(5, 7), range(6, 8), range(7, 9)], ids=str)
def test_several_of_them_cost_a_soak_no_more_than_the_while_in_which_no_other_came(
    by_s: float, reads: Collection[int]
) -> None:
    assert 1800 <= soak_lasts_s(shows(soaked(), by_s, reads)) <= 2 * 1800 + 60


@far
@pytest.mark.parametrize("reads", [{0}, {2}, {1, 2}, {2, 3}, {3, 4, 5}], ids=str)
def test_dates_that_are_wrong_for_a_moment_hold_up_no_busy_wait(by_s: float, reads: Collection[int]) -> None:
    first, second = waits(shows(stage([acts.BUSY, acts.BUSY], targets=1), by_s, reads).play())
    assert 60 <= first <= 75
    assert 120 <= second <= 135


@far
@pytest.mark.parametrize("reads", [{0}, {10}, {1, 2, 3}, range(8, 20)], ids=str)
def test_dates_that_are_wrong_for_a_moment_hold_up_no_doubt(by_s: float, reads: Collection[int]) -> None:
    (waited_s,) = waits(shows(lost(), by_s, reads).play())
    assert PERIOD_S <= waited_s <= 2 * PERIOD_S


@far
@pytest.mark.parametrize("reads", [{0}, {10}, {1, 2, 3}, range(8, 12)], ids=str)
def test_dates_that_are_wrong_for_a_moment_hold_up_no_follow(by_s: float, reads: Collection[int]) -> None:
    made = stage(targets=1, fate=Fate(duration_s=1e7, flips=None), follow=Follow(timeout_s=2000.0))
    (timed_out,) = shows(made, by_s, reads).play().of(FollowTimedOut)
    assert 1999 <= (timed_out.at - START).total_seconds() <= 3000


@far
def test_a_wrong_date_at_the_start_of_a_later_session_ends_no_doubt(by_s: float) -> None:
    made = lost()
    made.script = (stop_after(200.0),)
    first = made.play()
    again = resume(made, first, after=timedelta(seconds=60))
    (waited_s,) = waits(shows(again, by_s, {0}).play())
    assert PERIOD_S - 1 <= waited_s <= PERIOD_S + 330


# --- between two sessions ---------------------------------------------------------------------------------------------


def stop_after(seconds: float) -> Background:
    return later(seconds, lambda dispatcher: dispatcher.stop("stopped by SIGTERM"))


def second_session(
    made: Stage, step_s: float, *, after_s: float = 60.0, stop_s: float = 200.0, **changes: Any
) -> Played:
    """Stopped, and started again by a host whose clock was set meanwhile."""
    made.script = (stop_after(stop_s),)
    first = made.play()
    changes = {"host_off_s": step_s, **changes}
    return resume(made, first, after=timedelta(seconds=after_s), **changes).play()


def told(step_s: float, *, dated: bool = True) -> bool:
    """Whether the time between the sessions counts: the cloud told it, and the host's clock did not go back."""
    return dated and step_s >= 0


@every_step
@with_and_without_date
def test_a_doubt_of_an_earlier_session_ends_by_the_clouds_time(step_s: float, dated: bool) -> None:
    played = second_session(lost(dated=dated), step_s)
    assert played.outcomes() == {"succeeded": 2}
    (waited_s,) = waits(played)
    assert PERIOD_S - 1 <= waited_s <= (PERIOD_S + 330 if told(step_s, dated=dated) else PERIOD_S + 600)
    (disproved,) = played.of(AttemptDisproved)
    assert (disproved.clocks.cloud_at is not None) == dated


@every_step
def test_a_doubt_whose_period_is_over_by_the_clouds_time_ends_at_once(step_s: float) -> None:
    played = second_session(lost(), step_s, after_s=PERIOD_S)
    assert played.seconds < (200 if told(step_s) else PERIOD_S + 200)


@pytest.mark.parametrize("step_s", [HOUR, 2 * DAY])
def test_a_cloud_that_is_set_ahead_between_two_sessions_ends_no_doubt_early(step_s: float) -> None:
    made = lost()
    made.script = (stop_after(20.0),)
    first = made.play()
    first.cloud.offset_s += step_s
    played = resume(made, first, after=timedelta(seconds=3)).play()
    assert played.outcomes() == {"succeeded": 2}
    assert min(waits(played)) >= PERIOD_S - 1


@every_step
@with_and_without_date
def test_what_an_earlier_session_followed_times_out_by_the_clouds_time(step_s: float, dated: bool) -> None:
    made = stage(targets=1, dated=dated, fate=Fate(duration_s=1e7, flips=None), follow=Follow(timeout_s=2000.0))
    played = second_session(made, step_s, after_s=500.0)
    (timed_out,) = played.of(FollowTimedOut)
    seconds = played.seconds + (700 if told(step_s, dated=dated) else 0)
    assert 1990 <= seconds <= 2100
    assert timed_out.clocks.monotonic_s <= played.seconds


@every_step
@with_and_without_date
def test_a_soak_of_an_earlier_session_ends_by_the_clouds_time(step_s: float, dated: bool) -> None:
    waves = (Wave(name="canary", size=Amount(1), soak_s=1800.0), Wave(name="rest"))
    made = stage(waves=waves, dated=dated)
    played = second_session(made, step_s, stop_s=500.0, after_s=500.0)
    assert played.outcomes() == {"succeeded": 2}
    intents = [record for record in played.records if isinstance(record, Intent)]
    waited_s = [call.at for call in played.cloud.calls if call.name == "upgrade"]
    assert len(intents) == 2
    soak_s = (waited_s[1] - waited_s[0]).total_seconds() - 100
    assert soak_s >= 1800
    assert soak_s <= (2000 if told(step_s, dated=dated) else 2900)


@pytest.mark.parametrize("step_s", [step_s for step_s in STEPS.values() if step_s >= 0])
def test_a_soak_that_ended_between_two_sessions_is_not_waited_for_again(step_s: float) -> None:
    waves = (Wave(name="canary", size=Amount(1), soak_s=1800.0), Wave(name="rest"))
    played = second_session(stage(waves=waves), step_s, stop_s=500.0, after_s=2000.0, wait_s=0.0)
    assert played.outcomes() == {"succeeded": 2}
    assert played.seconds < 300


@pytest.mark.parametrize("windows", ["fleet", "instance"])
def test_a_window_that_only_a_wrong_clock_calls_closed_does_not_end_the_session(windows: str) -> None:
    night = Window(opens=21 * 60, closes=23 * 60, timezone="UTC")
    own = Facts(maintenance_window="21:00-23:00")
    proxies = tuple(msgspec.structs.replace(target, facts=own) for target in targets_of(2))
    made = stage(windows=(night,) if windows == "fleet" else "instance", proxies=proxies)
    made.start, made.wait_s = START + timedelta(hours=4), 0.0
    prepare = made.cloud_of

    def right(found: FakeCloud) -> None:
        prepare(found)
        found.offset_s = -4 * HOUR

    made.cloud_of = right
    assert made.play().outcomes() == {"succeeded": 2}


@every_step
def test_a_target_that_was_busy_waits_on_by_the_clouds_time(step_s: float) -> None:
    made = stage([acts.BUSY, acts.BUSY, acts.BUSY], targets=1, retry=Retry(busy_s=600.0))
    played = second_session(made, step_s, after_s=300.0)
    assert len(played.of(Postponed)) == 3
    assert 600 <= waits(played)[0] <= (620 if told(step_s) else 1120)


def test_a_cloud_whose_time_jumps_between_answers_is_not_written_each_time() -> None:
    flips = iter(range(10_000))

    def flipping(found: FakeCloud) -> None:
        def read(_name: str, _key: str, _number: int) -> None:
            found.offset_s = 30.0 * (next(flips) % 2)

        found.reads = read

    made = stage(targets=12, limits=CROWD)
    made.cloud_of = flipping
    played = made.play()
    assert len(played.of(ClockStepped)) <= 4 + 2 * played.seconds / 60
