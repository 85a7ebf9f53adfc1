"""What is said of a scope's rate: never more than the pace at which its calls were let through."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.executor.scope.usage import Usage


def attained(instants: list[float], *, noted_after: frozenset[int] = frozenset()) -> float:
    """Calls through seconds over all periods, as the report says it; one ends after each of these calls."""
    usage, calls, seconds = Usage(), 0, 0.0
    for number, instant in enumerate(instants, start=1):
        usage.count(instant)
        if number in noted_after or number == len(instants):
            calls, seconds, usage = calls + usage.calls, seconds + usage.seconds, usage.after()
    return calls / seconds


@pytest.mark.parametrize("calls", [2, 9, 16, 600])
def test_calls_at_the_pace_of_the_limit_are_no_more_than_the_limit(calls: int) -> None:
    assert attained([number / 20 for number in range(calls)]) == pytest.approx(20)


@given(
    gaps=st.lists(st.floats(0.05, 5), min_size=2, max_size=40),
    noted_after=st.frozensets(st.integers(1, 40)),
)
def test_whenever_it_is_noted_the_limit_is_never_exceeded(gaps: list[float], noted_after: frozenset[int]) -> None:
    instants = [0.0]
    for gap in gaps:
        instants.append(instants[-1] + gap)
    assert min(after - before for before, after in pairwise(instants)) >= 0.0499
    assert attained(instants, noted_after=noted_after) <= 20 * 1.0001


def test_one_call_alone_is_no_rate() -> None:
    usage = Usage()
    usage.count(5.0)
    assert (usage.calls, usage.seconds) == (1, 0.0)
