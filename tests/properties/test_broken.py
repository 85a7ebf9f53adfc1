"""The judge finds every broken executor out, says which rule was broken, and says nothing of the real one."""

import pytest
from fakes.fleets import Scenario
from properties.broken import BROKEN, Broken
from properties.playing import play_out

#: Random plans that a broken executor may get through.
_MOST_PLANS = 40


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.what)
def test_a_broken_executor_is_found_out(broken: Broken) -> None:
    for seed in dict.fromkeys((broken.shows, *range(_MOST_PLANS))):
        with broken.at_work():
            said = complaint(broken, seed)
        if broken.says in said:
            honest = Scenario(seed, change=broken.held_to)
            play_out(honest, honest.stage())
            return
    pytest.fail(f"{broken.what}: nothing was noticed in {_MOST_PLANS} plans")


def complaint(broken: Broken, seed: int) -> str:
    """What the judge says of the broken executor; nothing when it got through."""
    scenario = Scenario(seed, change=broken.held_to)
    try:
        play_out(scenario, scenario.stage(plan=broken.plays(scenario.plan)), rules=scenario.plan)
    except AssertionError as error:
        return str(error)
    return ""
