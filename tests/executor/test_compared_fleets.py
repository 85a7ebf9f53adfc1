"""A slower kernel is found early, and a spike of the whole region closes nothing: some fleets of the benchmark."""

from fakes.compared import compared


def test_a_kernel_that_answers_20_percent_more_slowly_is_found_before_10_percent_are_upgraded() -> None:
    found = [compared(seed, slower=1.2) for seed in range(3)]
    assert all(each.failed and each.share < 0.1 for each in found)


def test_a_spike_of_the_whole_region_closes_nothing() -> None:
    assert not compared(0, spike=True, targets=60).failed
