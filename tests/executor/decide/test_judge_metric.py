"""What samples say to a gate: bounds, and the comparison with proxies that were not upgraded."""

from collections.abc import Mapping
from random import Random

import pytest

from orchestrator.executor.decide.health.judge_metric import Treated, judge_bounds, judge_control
from orchestrator.model.plan.health_gate import EyeQuestion, MetricBound
from orchestrator.model.plan.metric import RESPONSE_MS, Minutes

BEFORE, AFTER = range(100, 110), range(120, 125)
CONTROL = EyeQuestion(metric=RESPONSE_MS, compare="control")


def values(before: float, after: float, *, noise: float = 0.0, seed: int = 0) -> Minutes:
    random = Random(seed)
    level = {**dict.fromkeys(BEFORE, before), **dict.fromkeys(AFTER, after)}
    return {minute: value * (1 + random.gauss(0, noise)) for minute, value in level.items()}


def treated(number: int, before: float, after: float, *, noise: float = 0.0) -> list[Treated]:
    return [Treated(f"u{each}", BEFORE, AFTER, values(before, after, noise=noise, seed=each)) for each in range(number)]


def control(number: int, before: float, after: float, *, noise: float = 0.0) -> Mapping[str, Minutes]:
    return {f"c{each}": values(before, after, noise=noise, seed=1000 + each) for each in range(number)}


@pytest.mark.parametrize(
    ("question", "after", "answer", "value"),
    [
        (EyeQuestion(metric="m", max=MetricBound(10.0)), 9.0, "passes", 9.0),
        (EyeQuestion(metric="m", max=MetricBound(10.0)), 11.0, "fails", 11.0),
        (EyeQuestion(metric="m", min=MetricBound(10.0)), 9.0, "fails", 9.0),
        (EyeQuestion(metric="m", min=MetricBound(10.0), max=MetricBound(12.0)), 11.0, "passes", 11.0),
    ],
)
def test_bounds_of_each_proxy(question: EyeQuestion, after: float, answer: str, value: float) -> None:
    found = judge_bounds(question, treated(3, 5.0, after))
    assert (found.answer, found.value) == (answer, value)


def test_one_proxy_beyond_the_bound_is_enough_and_is_named() -> None:
    found = judge_bounds(
        EyeQuestion(metric="m", max=MetricBound(10.0)), [*treated(3, 5.0, 5.0), *treated(1, 5.0, 20.0)]
    )
    assert found.answer == "fails"
    assert "u0; max 10" in found.evidence


def test_a_slower_kernel_fails_and_what_all_do_does_not() -> None:
    slower = judge_control(CONTROL, treated(4, 5.0, 6.0, noise=0.03), control(20, 50.0, 50.0, noise=0.03))
    assert slower.answer == "fails"
    assert slower.value == pytest.approx(20.0, abs=6.0)
    everywhere = judge_control(CONTROL, treated(4, 5.0, 10.0, noise=0.03), control(20, 50.0, 100.0, noise=0.03))
    assert everywhere.answer == "passes"


def test_what_chance_alone_would_do_closes_nothing() -> None:
    noisy = judge_control(CONTROL, treated(1, 5.0, 5.8, noise=0.3), control(20, 50.0, 50.0, noise=0.3))
    assert noisy.answer == "passes"


def test_a_bound_in_the_unit_of_the_metric() -> None:
    question = EyeQuestion(metric=RESPONSE_MS, compare="control", max=MetricBound(2.0))
    assert judge_control(question, treated(4, 5.0, 6.0), control(20, 7.0, 7.0)).answer == "passes"
    found = judge_control(question, treated(4, 5.0, 8.0), control(20, 7.0, 7.5))
    assert found.answer == "fails"
    assert found.value == pytest.approx(2.5)


def test_fewer_is_worse_where_the_plan_says_so() -> None:
    question = EyeQuestion(metric="m", compare="control", min=MetricBound(-10.0, percent=True))
    assert judge_control(question, treated(4, 100.0, 80.0), control(20, 100.0, 100.0)).answer == "fails"
    assert judge_control(question, treated(4, 100.0, 130.0), control(20, 100.0, 100.0)).answer == "passes"


@pytest.mark.parametrize(("upgraded", "others"), [(0, 20), (4, 2), (4, 0)])
def test_too_few_samples_are_no_data(upgraded: int, others: int) -> None:
    assert judge_control(CONTROL, treated(upgraded, 5.0, 9.0), control(others, 5.0, 5.0)).answer == "error"


def test_minutes_that_are_missing_are_no_data() -> None:
    few = [Treated("u", BEFORE, AFTER, dict.fromkeys((*BEFORE, 120, 121), 5.0))]
    assert judge_control(CONTROL, few, control(20, 5.0, 5.0)).answer == "error"
    assert judge_bounds(EyeQuestion(metric="m", max=MetricBound(1.0)), few).answer == "error"


@pytest.mark.parametrize(("silent", "answer"), [(3, "passes"), (4, "error")])
def test_few_that_can_be_seen_speak_for_no_others(silent: int, answer: str) -> None:
    unseen = [Treated(f"s{each}", BEFORE, AFTER, {}) for each in range(silent)]
    question = EyeQuestion(metric="m", max=MetricBound(10.0))
    assert judge_bounds(question, [*treated(3, 5.0, 5.0), *unseen]).answer == answer
    assert judge_bounds(question, [*treated(3, 5.0, 20.0), *unseen]).answer == "fails"
    assert judge_control(CONTROL, [*treated(3, 5.0, 5.0), *unseen], control(20, 5.0, 5.0)).answer == answer


def test_those_that_were_upgraded_just_now_need_no_samples_yet() -> None:
    young = [Treated(f"y{each}", BEFORE, range(124, 125), {}) for each in range(9)]
    question = EyeQuestion(metric="m", max=MetricBound(10.0))
    assert judge_bounds(question, [*treated(1, 5.0, 5.0), *young]).answer == "passes"
