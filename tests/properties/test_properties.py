"""What must hold for every plan and every trouble, on virtual time, checked from the journal and the cloud's books.

`python -m properties` does the same with as many plans as you like.
"""

from collections import Counter

import pytest
from properties.playing import try_seed

#: Plans that one test plays.
_PLANS = 4


def play(first: int, *, cut: bool) -> Counter[str]:
    """Play some plans to their ends; `try_seed` raises where a rule is broken."""
    return sum((try_seed(seed, cut=cut) for seed in range(first, first + _PLANS)), Counter())


@pytest.mark.parametrize("first", range(8, 24, _PLANS))
def test_every_plan_keeps_the_rules(first: int) -> None:
    met = play(first, cut=False)
    assert met["plans"] == _PLANS
    assert met["starts"] > _PLANS


@pytest.mark.parametrize("first", range(1000, 1008, _PLANS))
def test_a_run_cut_at_any_record_is_carried_to_its_end(first: int) -> None:
    """As if the process had died there."""
    met = play(first, cut=True)
    assert met["plan: cut"] == _PLANS
    assert met["starts"] > _PLANS
