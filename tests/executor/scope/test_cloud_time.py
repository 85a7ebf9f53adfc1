"""Learning the cloud's time from answers that take their time and name whole seconds."""

import pytest

from orchestrator.executor.scope.cloud_time import CloudTime
from orchestrator.model.reply import Exchange


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


def test_a_clock_that_goes_back_is_believed_at_once() -> None:
    assert learned((0, answer(0.0)), (1, answer(-3600.0)))[1] == pytest.approx(-3600)


def test_a_clock_that_goes_forward_is_believed_when_the_last_change_is_a_minute_old() -> None:
    assert learned((0, answer(0.0)), (59, answer(3600.0)), (61, answer(3600.0))) == [0.0, None, 3600.0]
