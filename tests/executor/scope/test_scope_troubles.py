"""A scope that refuses, throttles or cannot be reached: it waits as a whole, the others go on, and calls stay few."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from fakes import acts
from fakes.acts import throttling
from fakes.clock import START
from fakes.clouds import FakeCloud
from fakes.stage import Played, Stage, plan_of, targets_of

from orchestrator.executor.decide.actions import Ending
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Failures, Limits, Retry, Wave
from orchestrator.model.record.record import Intent, Postponed, ScopeGivenUp, ScopeOpened, ScopePaused, ScopeThrottled
from orchestrator.model.reply.reply import Busy, Doubtful, Exchange, Failure, NotSent, Refused, Throttled

SOFT = Failures(max=Amount(100, percent=True), max_rejected=Amount(100, percent=True), mode="soft")
WIDE = Limits(ramp=False, rate=10.0)
UNREACHABLE = NotSent("connection refused")


def play(setup: Any, *, targets: int = 6, scopes: tuple[str, ...] = ("default",), **changes: Any) -> Played:
    many = targets_of(targets, scopes=scopes)
    values = {"failures": SOFT, "limits": WIDE, "waves": (Wave(name="all"),), **changes}
    return Stage(plan=plan_of(many, **values), cloud_of=setup).play()


def between(begin_s: float, end_s: float, failure: Failure) -> Any:
    """The cloud fails for a while."""
    begin, end = START + timedelta(seconds=begin_s), START + timedelta(seconds=end_s)

    def down(now: datetime) -> Failure | None:
        return failure if begin <= now < end else None

    return down


def down(begin_s: float, end_s: float, failure: Failure = UNREACHABLE, *, prefix: str = "wf-") -> Any:
    def setup(cloud: FakeCloud) -> None:
        if cloud.prefix.startswith(prefix):
            cloud.down = between(begin_s, end_s, failure)

    return setup


FAILURES = {
    "unreachable": UNREACHABLE,
    "html": Doubtful("not JSON", Exchange(http_status=200)),
    "never answers": Doubtful("no answer within 30 s", Exchange()),
    "refused": Refused("no permission", Exchange(http_status=403)),
    "busy": Busy("maintenance", Exchange(http_status=409)),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_a_scope_never_reached_is_given_up_after_so_many_attempts(failure: Any) -> None:
    played = play(down(0, 1e9, failure))
    assert played.code == 7
    assert played.outcomes() == {"waiting": 6}
    assert sum(played.cloud.counts.values()) == 5
    assert len(played.of(ScopeGivenUp)) == 1
    assert played.seconds < 120


def test_a_scope_that_comes_back_in_time_is_used() -> None:
    played = play(down(0, 3))
    assert played.outcomes() == {"succeeded": 6}
    assert len(played.of(ScopeOpened)) == 1


def test_a_scope_that_worked_may_stay_away_for_a_quarter_of_an_hour() -> None:
    played = play(down(100, 800))
    assert played.outcomes() == {"succeeded": 6}
    played = play(down(100, 1e9))
    assert played.code == 7
    assert played.outcomes() == {"in_flight": 6}
    assert 100 + 900 <= played.seconds < 100 + 1200


def test_while_a_scope_is_away_one_probe_at_a_time_finds_out() -> None:
    played = play(down(100, 800))
    probes = [call.at for call in played.cloud.calls if 200 < (call.at - START).total_seconds() < 800]
    assert len(probes) < 40
    assert {call.name for call in played.cloud.calls if 200 < (call.at - START).total_seconds() < 790} == {"jobs"}


def test_those_who_wait_for_their_turn_when_a_scope_goes_away_do_not_try_it_each() -> None:
    played = play(down(100, 800), targets=10, limits=Limits(ramp=False, rate=0.2))
    away = [call for call in played.cloud.calls if 100 < (call.at - START).total_seconds() < 800]
    assert sum(call.name != "jobs" for call in away) == 1
    assert played.outcomes() == {"succeeded": 10}


def test_the_first_call_of_a_scope_is_one_authenticated_get_alone() -> None:
    def slow(cloud: FakeCloud) -> None:
        cloud.latency_s = 5.0  # of which fifty calls could make use, by the rate alone

    played = play(slow)
    first, second = played.cloud.calls[:2]
    assert first.name == "jobs"
    assert second.at >= first.at + timedelta(seconds=played.cloud.latency_s)


def test_where_all_scopes_are_required_nothing_starts_before_each_was_reached() -> None:
    played = play(down(0, 1e9, prefix="wf-b"), scopes=("a", "b"), scopes_required="all")
    assert played.outcomes() == {"waiting": 6}
    assert played.code == 7
    assert not played.of(Intent)
    played = play(down(0, 3, prefix="wf-b"), scopes=("a", "b"), scopes_required="all")
    assert played.outcomes() == {"succeeded": 6}
    assert min(record.at for record in played.of(Intent)) > max(record.at for record in played.of(ScopeOpened))


def test_other_scopes_go_on_while_one_cannot_be_used() -> None:
    played = play(down(0, 1e9, prefix="wf-b"), scopes=("a", "b"))
    assert played.outcomes() == {"succeeded": 3, "waiting": 3}
    assert played.code == 7
    assert played.finish.ending is Ending.SCOPE


# --- throttling -------------------------------------------------------------------------------------------------------


def test_a_throttled_scope_waits_as_a_whole() -> None:
    def setup(cloud: FakeCloud) -> None:
        first = next(iter(cloud.proxies))
        cloud.acts[first] = [throttling(40.0)]

    played = play(setup)
    (throttled,) = played.of(ScopeThrottled)
    assert throttled.until - throttled.at == timedelta(seconds=40)
    assert not [call for call in played.cloud.calls if throttled.at < call.at < throttled.until]
    assert played.outcomes() == {"succeeded": 6}


def test_when_everything_waits_for_the_end_of_a_throttling_the_session_goes_on() -> None:
    def setup(cloud: FakeCloud) -> None:
        cloud.default_act = acts.ACCEPT
        for proxy_id in cloud.proxies:
            cloud.acts[proxy_id] = [throttling(3000.0)]

    played = play(setup, targets=1)
    assert played.outcomes() == {"succeeded": 1}
    assert played.seconds > 3000


def test_a_throttled_probe_is_waited_for() -> None:
    played = play(down(0, 500, Throttled(100.0, Exchange(http_status=429, error_msg="slow down"))))
    assert played.outcomes() == {"succeeded": 6}


# --- nothing burns calls ----------------------------------------------------------------------------------------------


def test_posts_that_are_never_sent_end_the_scope_after_a_few() -> None:
    def setup(cloud: FakeCloud) -> None:
        cloud.default_act = acts.UNSENT

    played = play(setup, limits=Limits(concurrency=1, ramp=False), retry=Retry(attempts=4))
    assert played.code == 7
    assert played.cloud.counts["upgrade"] == 4
    assert len(played.of(ScopePaused)) == 4


def test_a_get_without_an_answer_is_simply_made_again() -> None:
    def setup(cloud: FakeCloud) -> None:
        lost = Doubtful("no answer within 30 s", Exchange())
        cloud.reads = lambda name, _key, number: lost if name == "proxy_version" and number <= 3 else None

    played = play(setup, targets=1)
    assert played.outcomes() == {"succeeded": 1}
    assert not played.of(Postponed)
    assert not played.of(ScopePaused)


def test_a_proxy_whose_version_cannot_be_read_is_deferred_and_costs_little() -> None:
    def setup(cloud: FakeCloud) -> None:
        sick = next(iter(cloud.proxies))
        cloud.reads = lambda name, key, _number: (
            Doubtful("HTTP 500", Exchange(http_status=500)) if name == "proxy_version" and key == sick else None
        )

    played = play(setup)
    assert played.outcomes() == {"succeeded": 5, "deferred": 1}
    assert played.cloud.counts["proxy_version"] < 150


def test_one_slow_scope_does_not_hold_up_a_fast_one() -> None:
    targets = targets_of(60, scopes=("slow", "fast"))
    limits = Limits(concurrency=2, in_flight=Amount(60), ramp=False)
    plan = plan_of(targets, failures=SOFT, waves=(Wave(name="all"),), limits=limits)
    played = Stage(plan=plan, rates={"slow": 0.05, "fast": 10.0}).play()
    sent = {
        scope: [record.at for record in played.of(Intent) if scope_of(played, record) == scope]
        for scope in ("slow", "fast")
    }
    assert played.outcomes() == {"succeeded": 60}
    assert (max(sent["fast"]) - START).total_seconds() < 60
    assert (max(sent["slow"]) - START).total_seconds() > 600


def scope_of(played: Played, record: Intent) -> str:
    return played.run.targets[record.target or ""].scope


def test_targets_of_a_paused_scope_come_back_without_a_trace() -> None:
    played = play(down(0.9, 200))
    assert played.outcomes() == {"succeeded": 6}
    assert all(record.busy is False for record in played.of(Postponed))
    assert played.cloud.counts["upgrade"] <= 7
