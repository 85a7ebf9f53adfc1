"""How good the forecast is: its intervals against the executor's own run, in plans whose durations it does not know.

`benchmarks/forecast.py` does the same with as many plans as you like.
"""

import pytest
from fakes.rehearsals import Unknown

#: Of so many plans one may be told wrongly, or too vaguely.
_PLANS = 6


@pytest.mark.parametrize("first", range(0, 2 * _PLANS, _PLANS))
def test_the_intervals_are_narrow_and_hold_duration_and_calls_of_the_run(first: int) -> None:
    tried = [Unknown(seed, targets=(15, 25)).tried() for seed in range(first, first + _PLANS)]
    wrong = [each for each in tried if not each.holds or each.width > 0.4]
    assert len(wrong) <= 1, wrong
    miscounted = [each for each in tried if not each.counts]
    assert len(miscounted) <= 1, miscounted
