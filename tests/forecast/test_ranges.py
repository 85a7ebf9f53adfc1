"""The range that rehearsals give of a number, with and without the part that single durations play in it."""

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.forecast.ranges import by_chance, range_of

NUMBERS = st.lists(st.floats(1, 1e6), min_size=3, max_size=11)


def test_what_goes_smoothly_from_level_to_level_has_no_chance_in_it() -> None:
    smooth = [100.0 + 5 * level for level in range(11)]
    assert by_chance(smooth) == range_of(smooth)


def test_what_jumps_from_level_to_level_lies_in_a_wider_range_than_its_ends() -> None:
    jumping = [100.0 + 5 * level + 20 * (level % 2) for level in range(11)]
    told, ends = by_chance(jumping), range_of(jumping)
    assert told.p5 < ends.p5 - 1
    assert told.p95 > ends.p95 + 1
    assert told.p50 == ends.p50


@given(NUMBERS)
def test_chance_never_makes_a_range_narrower(values: list[float]) -> None:
    told, ends = by_chance(values), range_of(values)
    assert told.p5 <= ends.p5 + 1e-6
    assert told.p95 >= ends.p95 - 1e-6
