"""Learning the cloud's time from answers that take their time and name whole seconds."""

import pytest
from fakes.clock import START

from orchestrator.executor.scope.cloud_time import CloudTime
from orchestrator.model.reply.reply import Exchange


def answer(offset_s: float | None, took_s: float = 0.0) -> Exchange:
    return Exchange(cloud_offset_s=offset_s, duration_ms=round(took_s * 1000))


def learned(*answers: tuple[float, Exchange]) -> list[float | None]:
    time = CloudTime()
    return [time.learn(exchange, at_s) for at_s, exchange in answers]


def test_the_first_date_is_news_and_the_next_ones_are_not() -> None:
    assert learned((0, answer(None)), (1, answer(7.5)), (2, answer(7.9)), (3, answer(6.95))) == [None, 7.5, None, None]


def test_a_slow_answer_says_no_more_than_it_can() -> None:
    assert learned((0, answer(0.0)), (40, answer(-30.0, took_s=30.0))) == [0.0, None]


def test_a_quick_answer_after_a_slow_one_makes_it_finer_at_once() -> None:
    assert learned((30, answer(-30.0, took_s=30.0)), (31, answer(0.0))) == [-30.0, 30.0]


def test_a_clock_that_goes_back_is_believed_when_the_next_answer_says_the_same() -> None:
    assert learned((0, answer(0.0)), (1, answer(-3600.0)), (2, answer(-3600.2)))[1:] == [None, pytest.approx(-3600.2)]


def test_a_clock_that_goes_forward_is_believed_when_no_answer_agrees_any_more() -> None:
    answers = [(at_s, answer(3600.0)) for at_s in (2, 6, 10, 12)]
    assert learned((0, answer(0.0)), (1, answer(0.5)), *answers) == [0.0, None, None, None, None, 3600.0]


def test_one_of_two_machines_whose_clock_is_ahead_makes_no_more_news_than_there_and_back_each_minute() -> None:
    ahead_now = [at_s % 6 >= 3 for at_s in range(1, 300)]
    answers = [(float(at_s), answer(3600.0 if ahead else 0.0)) for at_s, ahead in enumerate(ahead_now, 1)]
    news = [at_s for (at_s, _), change in zip(answers, learned((0, answer(0.0)), *answers)[1:], strict=True) if change]
    assert len(news) <= 2 * 5


@pytest.mark.parametrize("wrong_s", [-8e8, -62.0, 61.0, 8e8])
def test_a_single_date_that_is_far_from_all_others_is_not_believed(wrong_s: float) -> None:
    others = [(at_s, answer(0.0)) for at_s in (100, 101, 200)]
    assert learned((0, answer(0.0)), (99, answer(wrong_s)), *others) == [0.0, None, None, None, None]
    assert learned((0, answer(wrong_s)), *others) == [None, 0.0, None, None]


@pytest.mark.parametrize("host_off_s", [-8e8, -62.0, 61.0, 8e8])
def test_a_host_that_is_wrong_is_believed_no_more_than_two_answers(host_off_s: float) -> None:
    assert learned((0, answer(host_off_s)), (1, answer(host_off_s + 0.4))) == [None, pytest.approx(host_off_s + 0.4)]


def test_a_change_tells_for_how_long_nobody_had_seen_the_clock_agree() -> None:
    time = CloudTime()
    for at_s, offset_s in ((0, 0.0), (70, 0.5), (80, 3600.0)):
        time.learn(answer(offset_s), at_s)
    assert time.learned("default", START).unsure_s is None
    time.learn(answer(3600.0), 90)
    assert time.learned("default", START).unsure_s == pytest.approx(20.0, abs=0.01)
