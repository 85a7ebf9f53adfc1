"""The forecast knows how many addresses subnets have left, as far as they were read."""

from typing import Any

from fakes.clock import START
from fakes.rollouts import ALL, FREE, LENIENT
from fakes.stage import plan_of, targets_of
from msgspec.structs import replace

from orchestrator.forecast.forecast import rehearse
from orchestrator.model.plan.plan import Capacity, Retry
from orchestrator.model.plan.target import Facts
from orchestrator.planner.preview.forecast_values import Rehearsed


def told(free: dict[str, int], **changes: Any) -> Rehearsed:
    """Of eight proxies with two nodes each, in one subnet."""
    targets = [replace(target, facts=Facts(subnet="a", nodes=2)) for target in targets_of(8)]
    plan = plan_of(
        targets, waves=ALL, limits=FREE, failures=LENIENT, **{"capacity": Capacity(subnet_reserve=0), **changes}
    )
    return rehearse(plan, targets, start=START, free=free)


def test_addresses_bound_how_many_are_under_way() -> None:
    free, tight = told({}), told({"a": 5})
    assert (free.peak_in_flight, tight.peak_in_flight) == (8, 2)
    assert tight.duration_s.p50 > 3 * free.duration_s.p50
    assert "the addresses of subnet a" in {phase.limited_by for phase in tight.phases}


def test_the_reserve_is_left_alone_and_off_looks_at_nothing() -> None:
    assert told({"a": 6}, capacity=Capacity(subnet_reserve=2)).peak_in_flight == 2
    assert told({"a": 2}, capacity=None).peak_in_flight == 8


def test_what_fits_in_no_more_is_deferred_after_busy_for() -> None:
    tight = told({"a": 1}, retry=Retry(busy_for_s=1800.0))
    assert tight.unfinished is None
    assert tight.peak_in_flight == 0
    assert 1800 <= tight.duration_s.p50 < 1900
