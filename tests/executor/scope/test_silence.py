"""A scope that is asked and says nothing: it is said within seconds, whatever it is that does not answer."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from fakes.clock import START
from fakes.clouds import FakeCloud
from fakes.rollouts import stage_of

from orchestrator.executor.background import _LISTEN_EVERY_S
from orchestrator.executor.scope.silence import LONG_S, Silence
from orchestrator.executor.scope.under_way import UnderWay
from orchestrator.model.record.record import ScopeGivenUp, ScopeHeard, ScopePaused, ScopeSilent
from orchestrator.model.reply.reply import (
    Answered,
    Busy,
    Doubtful,
    Exchange,
    Failure,
    NotSent,
    Refused,
    Throttled,
    Unauthenticated,
)

BROKEN = Doubtful("bad gateway", Exchange(http_status=503))
FAILS_S = 40.0


def failing(failure: Any, begin_s: float = FAILS_S, end_s: float = 1e9) -> Any:
    """A cloud that fails for a while, and takes its time for it."""

    def setup(cloud: FakeCloud) -> None:
        begin, end = START + timedelta(seconds=begin_s), START + timedelta(seconds=end_s)

        def down(now: datetime) -> Failure | None:
            cloud.latency_s = 6.0 if begin <= now < end else 0.05
            return failure if begin <= now < end else None

        cloud.down = down

    return setup


def hanging(cloud: FakeCloud) -> None:
    cloud.latency_s = 30.0


def test_a_gateway_that_answers_for_the_cloud_is_named_before_retries_are_through() -> None:
    played = stage_of(6, failing(BROKEN)).play()
    silent = played.of(ScopeSilent)[0]
    told_s = (silent.at - silent.since).total_seconds()
    assert LONG_S <= told_s <= LONG_S + _LISTEN_EVERY_S
    assert silent.why == "HTTP 503: bad gateway"
    assert silent.at < min(record.at for record in [*played.of(ScopePaused), *played.of(ScopeGivenUp)])


def test_a_call_that_hangs_is_named_long_before_its_end() -> None:
    silent = stage_of(1, hanging).play().of(ScopeSilent)[0]
    assert (silent.at - START).total_seconds() <= LONG_S + 2 * _LISTEN_EVERY_S
    assert silent.why == "no answer yet"


def test_it_is_said_once_and_its_end_with_the_first_answer() -> None:
    played = stage_of(6, failing(BROKEN, FAILS_S, FAILS_S + 40)).play()
    assert played.outcomes() == {"succeeded": 6}
    (silent,), (heard,) = played.of(ScopeSilent), played.of(ScopeHeard)
    assert silent.at < heard.at
    assert played.run.scopes["default"].standing(heard.at).state == "open"


def test_a_scope_of_which_it_is_known_that_it_is_out_of_reach_is_not_called_silent_too() -> None:
    played = stage_of(6, failing(NotSent("connection refused"))).play()
    assert played.of(ScopePaused)
    assert not played.of(ScopeSilent)


def silence_after(*replies: Any, since_s: float = 0.0) -> float | None:
    """Since when it lasts 100 s later, with one reply a second."""
    silence = Silence()
    for second, reply in enumerate(replies):
        silence.take(reply, since_s + second, since_s + second)
    return silence.since_s(UnderWay(), 100.0)


def test_one_call_that_fails_proves_nothing() -> None:
    assert silence_after(Answered(None, Exchange()), BROKEN) is None
    assert silence_after(Answered(None, Exchange()), BROKEN, BROKEN) == 1.0


@pytest.mark.parametrize(
    "word",
    [
        Answered(None, Exchange()),
        Refused("no", Exchange(http_status=403)),
        Busy("another job", Exchange(http_status=409)),
        Throttled(1.0, Exchange(http_status=429)),
        Unauthenticated("expired", Exchange(http_status=401), 1),
    ],
    ids=lambda reply: type(reply).__name__,
)
def test_whatever_the_cloud_itself_says_ends_it(word: Any) -> None:
    assert silence_after(BROKEN, BROKEN, word) is None


def test_a_slow_call_proves_nothing_while_others_get_through() -> None:
    silence, calls = Silence(), UnderWay()
    with calls.begun(0.0):
        assert silence.since_s(calls, LONG_S) == 0.0
        silence.take(Answered(None, Exchange()), 5.0, 6.0)
        assert silence.since_s(calls, 100.0) is None
        with calls.begun(7.0):
            assert silence.since_s(calls, 7.0 + LONG_S) == 7.0
