"""Random fleets under faults and deaths keep every promise. Each failure prints the command that replays it."""

from collections import Counter

import pytest
from soak.fleet import RAISING, Size
from soak.hits import expected
from soak.runner import replay, try_seed


def _met(seed: int, size: Size, raises: str | None = None) -> Counter[str]:
    """What a trial met that kept every promise."""
    verdict = try_seed(seed, size, raises)
    assert not verdict.violations, "\n".join([f"replay: {replay(seed, size, raises)}", *verdict.violations[:10]])
    return verdict.hits


def _expect_kept(first: int, number: int, size: Size) -> Counter[str]:
    """Try so many seeds; what they met."""
    return sum((_met(seed, size) for seed in range(first, first + number)), Counter())


@pytest.mark.slow
@pytest.mark.parametrize("first", range(2000, 2020, 5))
def test_fleets_keep_every_promise(first: int) -> None:
    _expect_kept(first, 5, "full")


@pytest.mark.slow
def test_small_fleets_keep_every_promise_and_meet_every_fault_and_every_crash_point() -> None:
    met = _expect_kept(0, 110, "small")
    assert [name for name in expected() if not met[name] and not name.startswith("exception")] == []


@pytest.mark.slow
@pytest.mark.parametrize("place", RAISING)
def test_an_exception_at_any_place_breaks_no_promise(place: str) -> None:
    """Not every fleet comes by every place: the seeds go on until one does."""
    assert any(_met(seed, "small", place)[f"exception: {place}"] for seed in range(40))
