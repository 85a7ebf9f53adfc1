"""What must hold for every plan and every trouble, on virtual time, checked from the journal and the cloud's books.

`python -m properties` does the same with as many plans as you like.
"""

import pytest
from properties.playing import try_seed


@pytest.mark.parametrize("first", range(8, 24, 4))
def test_every_plan_keeps_the_rules(first: int) -> None:
    for seed in range(first, first + 4):
        assert try_seed(seed, cut=False)["starts"] >= 0


@pytest.mark.parametrize("first", range(1000, 1008, 4))
def test_a_run_cut_at_any_record_is_carried_to_its_end(first: int) -> None:
    """As if the process had died there."""
    for seed in range(first, first + 4):
        assert try_seed(seed, cut=True)["starts"] >= 0
