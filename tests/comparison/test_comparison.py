"""A slower kernel is found early, and a spike of the whole region closes nothing: some fleets of `make comparison`."""

import pytest
from comparison.fleet import SLOWER, compared


@pytest.mark.parametrize("seed", range(4))
def test_a_kernel_that_answers_20_percent_more_slowly_is_found_before_10_percent_are_upgraded(seed: int) -> None:
    found = compared(seed, slower=SLOWER)
    assert found.failed
    assert found.share < 0.1


@pytest.mark.parametrize("seed", range(2))
def test_a_spike_of_the_whole_region_closes_nothing(seed: int) -> None:
    assert not compared(seed, spike=True, targets=40).failed
