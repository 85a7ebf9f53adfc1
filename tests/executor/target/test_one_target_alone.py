"""Troubles that one target has alone: it does not hammer, keeps nobody waiting, and its story has an end."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from fakes import acts
from fakes.acts import Act, Fate, throttling
from fakes.clock import START
from fakes.clouds import FakeCloud
from fakes.rollouts import ALL, FREE, LENIENT, stage_of
from fakes.stage import Played, Stage, later, plan_of, resume, targets_of

from orchestrator.model.plan.plan import Limits, Retry
from orchestrator.model.record.record import AnswerSeen, Intent, Postponed, ScopeGivenUp, ScopePaused, Settled
from orchestrator.model.reply.reply import Doubtful, Exchange, Failure, NotSent, Throttled, Unauthenticated

THRICE = Retry(attempts=3)
TURNED_AWAY = {
    "throttled": throttling(None),
    "throttled, a pause named": throttling(20.0),
    "unauthenticated": acts.UNAUTHENTICATED,
    "not_sent": acts.UNSENT,
}
UNREADABLE: dict[str, Failure] = {
    "throttled": Throttled(None, Exchange(http_status=429)),
    "a pause named": Throttled(20.0, Exchange(http_status=429)),
    "refused": Unauthenticated("token expired", Exchange(http_status=401), generation=10**9),
    "not sent": NotSent("no route"),
    "503": Doubtful("HTTP 503", Exchange(http_status=503)),
}


def alone(act: Act, number: int) -> Any:
    """Every attempt for this one target is answered so."""

    def setup(cloud: FakeCloud) -> None:
        cloud.acts[list(cloud.proxies)[number]] = [act] * 1000

    return setup


def play(act: Act, number: int = 0, *, targets: int = 7, **changes: Any) -> Played:
    return stage_of(targets, alone(act, number), **{"retry": THRICE, **changes}).play()


def settled_at(played: Played, number: int) -> float:
    at = played.state(number).settled_at
    assert at is not None
    return (at - START).total_seconds()


@pytest.mark.parametrize("number", range(7))
@pytest.mark.parametrize("word", TURNED_AWAY)
def test_a_target_that_is_turned_away_while_others_get_through_is_deferred(word: str, number: int) -> None:
    played = play(TURNED_AWAY[word], number)
    state = played.state(number)
    assert played.outcomes() == {"succeeded": 6, "deferred": 1}
    assert (state.outcome, state.reason) == ("deferred", word.partition(",")[0])
    assert "turned away 3 times in a row while others got through" in state.evidence[-1]
    assert played.cloud.upgrades[state.key] == 3
    assert not played.of(ScopeGivenUp)
    assert played.code == 1


@pytest.mark.parametrize("word", TURNED_AWAY)
def test_it_goes_to_the_end_of_the_queue(word: str) -> None:
    limits = Limits(in_flight=FREE.in_flight, concurrency=1, rate=1.0, ramp=False)
    played = play(TURNED_AWAY[word], targets=20, limits=limits)
    sick = played.state(0).key
    order = [record.target for record in played.of(Intent)]
    first, second = [place for place, key in enumerate(order) if key == sick][:2]
    assert second - first > 10 or first > 10
    assert order[second + 1 :].count(sick) == len(order[second + 1 :])


def test_an_attempt_that_is_turned_away_waits_ever_longer_while_others_get_through() -> None:
    slow = Retry(attempts=5, backoff_s=20.0, max_backoff_s=600.0)
    played = stage_of(60, alone(throttling(1.0), 0), retry=slow, limits=Limits(ramp=False, rate=1.0)).play()
    waits = [record.until - record.at for record in played.of(Postponed) if record.target == played.state(0).key]
    assert [wait.total_seconds() > floor for wait, floor in zip(waits, (2, 4, 8, 16), strict=True)] == [True] * 4


def test_the_next_session_goes_on_counting() -> None:
    stage = stage_of(7, alone(throttling(None), 0), retry=Retry(attempts=6, backoff_s=30.0, max_backoff_s=600.0))
    stage.script = (later(100.0, lambda dispatcher: dispatcher.stop("stopped by SIGTERM")),)
    first = stage.play()
    before = first.state(0).turned_away
    assert 0 < before < 6
    second = resume(stage, first).play()
    assert second.outcomes() == {"succeeded": 6, "deferred": 1}
    assert second.cloud.upgrades[second.state(0).key] == 6


def test_several_that_are_turned_away_end_too() -> None:
    def setup(cloud: FakeCloud) -> None:
        for proxy_id in list(cloud.proxies)[:5]:
            cloud.acts[proxy_id] = [throttling(None)] * 1000

    played = stage_of(9, setup, retry=THRICE).play()
    assert played.outcomes() == {"succeeded": 4, "deferred": 5}
    assert played.run.upgrade_calls == 4 + 5 * 3


def test_where_nobody_gets_through_the_pauses_grow_and_nothing_is_given_up() -> None:
    stage = stage_of(1, alone(throttling(None), 0), retry=THRICE)
    stage.script = (later(4 * 3600.0, lambda dispatcher: dispatcher.stop("stopped by SIGTERM")),)
    played = stage.play()
    assert played.outcomes() == {"waiting": 1}
    gaps = [(after.at - before.at).total_seconds() for before, after in pairwise(played.of(Intent))]
    assert sum(gaps[:4]) < 30
    assert sum(gaps[-50:]) / 50 > 25


def test_reads_that_pass_do_not_shorten_the_pauses_of_upgrades() -> None:
    def setup(cloud: FakeCloud) -> None:
        cloud.default_act = throttling(None)

    stage = stage_of(40, setup)
    stage.script = (later(3600.0, lambda dispatcher: dispatcher.stop("stopped by SIGTERM")),)
    played = stage.play()
    assert played.cloud.counts["proxy_version"] > 40
    assert sum(answer.verdict == "throttled" for answer in played.of(AnswerSeen)) < 300


@pytest.mark.parametrize("failure", UNREADABLE.values(), ids=UNREADABLE)
def test_a_target_whose_version_cannot_be_read_alone_is_deferred_and_costs_little(failure: Failure) -> None:
    targets = targets_of(7)
    sick = targets[0].proxy_id

    def setup(cloud: FakeCloud) -> None:
        cloud.reads = lambda name, key, _number: failure if (name, key) == ("proxy_version", sick) else None

    plan = plan_of(targets, failures=LENIENT, waves=ALL, limits=FREE)
    played = Stage(plan=plan, cloud_of=setup).play()
    assert played.outcomes() == {"succeeded": 6, "deferred": 1}
    assert max(settled_at(played, number) for number in range(1, 7)) < 900
    assert sum(call.key == sick for call in played.cloud.calls) < 130
    assert played.cloud.renewals < 50
    assert not played.of(ScopeGivenUp)


@pytest.mark.parametrize("name", ["proxy_version", "proxy_health", "job"])
def test_one_proxy_that_can_never_be_read_pauses_no_scope_though_nobody_else_asks(name: str) -> None:
    def setup(cloud: FakeCloud) -> None:
        cloud.default_fate = Fate(listed=False)
        cloud.reads = lambda called, _key, _number: UNREADABLE["503"] if called == name else None

    played = stage_of(1, setup, limits=FREE, waves=ALL).play()
    assert not played.of(ScopePaused)
    assert not played.of(ScopeGivenUp)


def test_a_scope_whose_plainest_list_cannot_be_read_either_is_paused() -> None:
    def setup(cloud: FakeCloud) -> None:
        hours = (START + timedelta(seconds=10), START + timedelta(seconds=400))
        cloud.reads = lambda _name, _key, _number: (
            UNREADABLE["503"] if hours[0] < cloud.clock.now() < hours[1] else None
        )

    played = stage_of(1, setup, limits=FREE, waves=ALL).play()
    assert len(played.of(ScopePaused)) == 1
    assert played.outcomes() == {"succeeded": 1}


def test_a_job_that_cannot_be_read_alone_keeps_nobody_waiting() -> None:
    targets = targets_of(7)

    def setup(cloud: FakeCloud) -> None:
        cloud.default_fate = Fate(listed=False)
        cloud.reads = lambda name, key, _number: UNREADABLE["503"] if name == "job" and key.endswith("-0-0") else None

    played = Stage(plan=plan_of(targets, failures=LENIENT, waves=ALL, limits=FREE), cloud_of=setup).play()
    assert played.outcomes()["succeeded"] == 7  # the one whose job tells nothing by its version
    ended = [record for record in played.of(Settled) if record.outcome == "succeeded"]
    assert max(record.at for record in ended) < START + timedelta(seconds=1200)
