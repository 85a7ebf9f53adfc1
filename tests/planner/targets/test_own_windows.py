"""`windows: instance` needs a window of each instance; one that cannot be read is another mistake than none."""

from collections.abc import Callable

import pytest

from orchestrator.errors import PlanError
from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.target import Facts, Target
from orchestrator.planner.targets.own_windows import check_own_windows


def check(load: Callable[..., Plan], text: str | None) -> PlanError | None:
    facts = Facts(maintenance_window=text)
    target = Target(scope="default", instance_id="i", proxy_id="p", facts=facts)
    try:
        check_own_windows(load("windows: instance"), [target])
    except PlanError as error:
        return error
    return None


@pytest.mark.parametrize("text", ["18:00-22:00", "2:00 - 6:00", "20:00-24:00"])
def test_a_window_of_its_own_is_enough(load: Callable[..., Plan], text: str) -> None:
    assert check(load, text) is None


@pytest.mark.parametrize("text", ["", "always", "25:00-26:00", "18:00", "18:00-22:00-23:00", "18:60-22:00"])
def test_an_unreadable_window_is_quoted_and_the_hint_fits(load: Callable[..., Plan], text: str) -> None:
    error = check(load, text)
    assert error is not None
    assert f'windows: no time of day is "{text}", the window of proxy p' in str(error)
    assert error.hint is not None
    assert "set it again in the console" in error.hint


def test_without_a_window_the_hint_is_discovery(load: Callable[..., Plan]) -> None:
    error = check(load, None)
    assert error is not None
    assert "no maintenance window is known of proxy p" in str(error)
    assert error.hint is not None
    assert "discover" in error.hint
