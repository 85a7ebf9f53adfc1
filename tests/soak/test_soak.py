"""Random fleets under faults and deaths keep every promise. Each failure prints the command that replays it."""

from collections import Counter

import pytest
from soak.fleet import Size
from soak.hits import expected
from soak.runner import replay, try_seed


def _expect_kept(first: int, number: int, size: Size) -> Counter[str]:
    """Try so many seeds; what they met."""
    met: Counter[str] = Counter()
    for seed in range(first, first + number):
        verdict = try_seed(seed, size)
        assert not verdict.violations, "\n".join([f"replay: {replay(seed, size)}", *verdict.violations[:10]])
        met += verdict.hits
    return met


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1000, 1100, 25))
def test_small_fleets_keep_every_promise(first: int) -> None:
    _expect_kept(first, 25, "small")


@pytest.mark.slow
@pytest.mark.parametrize("first", range(2000, 2020, 5))
def test_fleets_keep_every_promise(first: int) -> None:
    _expect_kept(first, 5, "full")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_fault_and_every_crash_point_is_hit() -> None:
    met = _expect_kept(0, 600, "small")  # exceptions at a given point of a story are rare

    assert [name for name in expected() if not met[name]] == []
