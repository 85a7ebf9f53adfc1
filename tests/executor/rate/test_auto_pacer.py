"""The rules of `rate: auto`, one by one: growth, refusals, what the cloud says, slow answers."""

import heapq
from math import ceil
from random import Random

import pytest

from orchestrator.executor.rate.auto_rate import AutoPacer, auto_pacer
from orchestrator.model.reply.reply import Quota


def drive(pacer: AutoPacer, calls: int, now_s: float = 0.0, *, waited: bool = True) -> float:
    for _ in range(calls):
        now_s = max(now_s, pacer.earliest())
        pacer.take(now_s, waited=waited)
        pacer.answered(now_s, now_s + 0.01)
        now_s += 0.0 if waited else 1.0
    return now_s


def test_starts_low_doubles_and_halves_at_the_first_refusal() -> None:
    pacer = auto_pacer()
    assert pacer.rate == 1
    assert pacer.learned is None
    now_s = drive(pacer, 40)
    high = pacer.rate
    assert high in {4, 8}
    pacer.throttle(now_s, 1.0, sent_s=now_s)
    assert pacer.rate <= high / 2
    assert pacer.earliest() == now_s + 1.0


def test_refusals_of_calls_sent_before_the_decrease_decrease_nothing() -> None:
    pacer = auto_pacer()
    now_s = drive(pacer, 40)
    pacer.throttle(now_s + 0.1, 1.0, sent_s=now_s)
    rate = pacer.rate
    pacer.throttle(now_s + 0.2, 1.0, sent_s=now_s + 0.05)
    assert pacer.rate == rate
    assert pacer.held_until == now_s + 1.2


def test_does_not_grow_while_nobody_waits_for_slots() -> None:
    pacer = auto_pacer()
    drive(pacer, 200, waited=False)
    assert pacer.rate == 1


def test_a_named_limit_is_taken_at_its_word() -> None:
    pacer = auto_pacer()
    now_s = drive(pacer, 40)
    pacer.throttle(now_s, 60.0, sent_s=now_s, quota=Quota(300, 60.0))
    assert pacer.learned == 5


@pytest.mark.parametrize("learned", [9.0, 9.5, 120.0])
def test_no_second_holds_more_than_the_rate(learned: float) -> None:
    pacer = auto_pacer(learned)
    sent: list[float] = []
    now_s = 0.0
    for number in range(300):
        now_s = max(now_s, pacer.earliest()) + (0.07 if number % 20 == 0 else 0.0)  # late now and then
        pacer.take(now_s, waited=True)
        sent.append(now_s)
    most = max(sum(since <= instant < since + 0.999 for instant in sent) for since in sent)
    assert ceil(pacer.rate) - 1 <= most <= ceil(pacer.rate)


def test_slower_answers_slow_it_down() -> None:
    """A server that makes 20 calls a second and refuses none: its queue must stay short."""
    pacer = auto_pacer()
    now_s = free_s = 0.0
    answers: list[tuple[float, float]] = []
    latencies = []
    while (due_s := max(now_s, pacer.earliest())) < 300:
        if answers and answers[0][0] <= due_s:
            now_s, sent_s = heapq.heappop(answers)
            pacer.answered(sent_s, now_s, "read")
            continue
        now_s = due_s
        pacer.take(now_s, waited=True)
        free_s = max(free_s, now_s) + 0.05
        heapq.heappush(answers, (free_s, now_s))
        latencies.append(free_s - now_s)
    assert sorted(latencies)[len(latencies) * 95 // 100] < 2.0
    assert len(latencies) / 300 >= 10


def test_a_slow_new_connection_slows_nothing_down() -> None:
    pacer = auto_pacer(20.0)
    now_s = 0.0
    for number in range(400):
        now_s = max(now_s, pacer.earliest())
        pacer.take(now_s, waited=True)
        pacer.answered(now_s, now_s + (0.4 if number > 200 else 0.05), "read")
    assert pacer.rate >= 20


def test_a_refused_login_is_waited_for_and_teaches_nothing() -> None:
    pacer = auto_pacer(20.0)
    now_s = drive(pacer, 200)
    rate = pacer.rate
    pacer.throttle(now_s, 7.0)
    assert pacer.rate == rate
    assert pacer.earliest() == now_s + 7.0


def test_a_cloud_that_refuses_at_random_does_not_bring_it_to_a_stop() -> None:
    random, pacer = Random(1), auto_pacer()
    now_s, calls = 0.0, 0
    while now_s < 1500:
        now_s = max(now_s, pacer.earliest())
        pacer.take(now_s, waited=True)
        calls += 1
        if random.random() < 0.05:
            pacer.throttle(now_s + 0.05, random.choice((1.0, 3.0, 5.0)), sent_s=now_s)
        else:
            pacer.answered(now_s, now_s + 0.05)
    assert calls / 1500 >= 0.4


def test_a_long_pause_alone_does_not_make_it_believe_in_a_rate_of_next_to_nothing() -> None:
    pacer = auto_pacer()
    now_s = drive(pacer, 3)
    pacer.throttle(now_s + 0.1, 7200.0, sent_s=now_s, server_named_pause=True)
    assert pacer.learned == pacer.nominal == pacer.rate == 0.5


def test_one_call_a_day_is_a_rate_too() -> None:
    pacer = auto_pacer()
    pacer.take(0.0, waited=True)
    pacer.throttle(0.1, 86400.0, sent_s=0.0, quota=Quota(1, 86400.0))
    assert pacer.nominal == pytest.approx(1 / 86400, rel=1e-3)
