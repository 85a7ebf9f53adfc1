"""How fast: no one-second window above the rate, and the rate attained when there is always somebody waiting."""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.executor.rate.fixed_rate import WindowPacer

#: Instants are compared in microseconds; beyond that floating point decides.
_NOISE = 1e-6


def send_all(pacer: WindowPacer, number: int, lateness: Sequence[float] = (0.0,)) -> list[float]:
    """Somebody always waits; each slot is taken a little late."""
    now, sent = 0.0, []
    for at in range(number):
        now = max(now, pacer.earliest()) + lateness[at % len(lateness)]
        pacer.take(now, waited=True)
        sent.append(now)
    return sent


def busiest_second(sent: Sequence[float]) -> int:
    """The most requests in one second, its end left out."""
    most, first = 0, 0
    for last, now in enumerate(sent):
        while sent[first] <= now - 1 + _NOISE:
            first += 1
        most = max(most, last - first + 1)
    return most


@given(
    rate=st.sampled_from([0.1, 0.5, 1.0, 2.0, 3.0, 10.0, 100.0, 997.0]),
    late=st.lists(st.floats(0, 0.3), min_size=1, max_size=9),
)
def test_no_second_holds_more_than_the_rate(rate: float, late: list[float]) -> None:
    sent = send_all(WindowPacer(rate), 300, late)
    assert busiest_second(sent) <= max(1, math.ceil(rate))


@given(rate=st.floats(0.05, 500))
def test_the_rate_is_attained(rate: float) -> None:
    sent = send_all(WindowPacer(rate), 400)
    assert 399 / (sent[-1] - sent[0]) == pytest.approx(rate, rel=0.01)


@given(rate=st.sampled_from([5.0, 20.0, 100.0]), late=st.lists(st.floats(0, 0.1), min_size=1, max_size=5))
def test_lateness_of_those_who_wait_is_made_up(rate: float, late: list[float]) -> None:
    sent = send_all(WindowPacer(rate), 600, [share / rate for share in (*late, 0.2)])
    assert 599 / (sent[-1] - sent[0]) > 0.95 * rate


@pytest.mark.parametrize("rate", [0.01, 0.5, 0.99])
def test_below_one_a_second_requests_are_at_least_one_over_the_rate_apart(rate: float) -> None:
    sent = send_all(WindowPacer(rate), 20, [0.0, 0.4, 0.0])
    assert min(second - first for first, second in itertools.pairwise(sent)) >= 1 / rate - 0.4 - _NOISE


def test_slots_that_nobody_wanted_are_gone() -> None:
    pacer = WindowPacer(10.0)
    pacer.take(0.0, waited=False)
    pacer.take(50.0, waited=False)
    assert pacer.earliest() == pytest.approx(50.1)


def test_after_a_refusal_the_pace_is_halved_and_grows_back() -> None:
    pacer = WindowPacer(10.0)
    pacer.take(0.0, waited=False)
    pacer.throttle(0.1, 5.0)
    assert pacer.earliest() == pytest.approx(5.1)
    assert pacer.rate == 5.0
    pacer.throttle(0.2, 5.0)
    assert pacer.rate == 5.0
    now = 5.2
    while now < 80:
        pacer.take(now, waited=True)
        now = max(now + 0.01, pacer.earliest())
    assert pacer.rate == 10.0


def test_refusals_never_stop_the_pace_altogether() -> None:
    pacer = WindowPacer(8.0)
    for at in range(40):
        pacer.throttle(100.0 * at, 1.0)
    assert pacer.rate == 0.5


@given(st.lists(st.tuples(st.floats(0, 2), st.sampled_from(["take", "throttle"])), max_size=60), st.floats(0.1, 50))
def test_whatever_happens_the_next_slot_is_near(steps: Any, rate: float) -> None:
    pacer, now = WindowPacer(rate), 0.0
    for pause, what in steps:
        now = max(now, pacer.earliest()) + pause
        if what == "take":
            pacer.take(now, waited=True)
        else:
            pacer.throttle(now, 3.0)
        assert pacer.earliest() <= now + 3.0 + 17 / rate + _NOISE


def test_nothing_is_reserved_once_half_of_a_second_has_gone() -> None:
    """Whoever is late with the rest then is late with no more than the rate allows."""
    pacer = WindowPacer(100.0)
    for number in range(50):
        pacer.take(number / 100, waited=False)
    assert pacer.reserve(0.5, 8, 0.6) == 0
    assert pacer.reserve(1.01, 8, 1.11) == 8
    assert pacer.sent[-1] == 1.11
