"""How many at once: in flight, on an instance, of a label, and the ramp."""

from typing import Any

import pytest
from fakes.rollouts import stage_of
from fakes.stage import Played

from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Limits, Wave
from orchestrator.model.record.record import (
    Intent,
    Settled,
)


def most_at_once(played: Played, key: Any) -> int:
    """The most targets between intent and outcome at one instant, of one kind."""
    now_open: dict[str, Any] = {}
    most = 0
    for record in played.records:
        if isinstance(record, Intent):
            now_open[record.target or ""] = key(played.run.targets[record.target or ""])
        elif isinstance(record, Settled):
            now_open.pop(record.target or "", None)
        most = max([most, *(list(now_open.values()).count(kind) for kind in set(now_open.values()))])
    return most


@pytest.mark.parametrize("cap", [1, 2])
def test_per_instance_bounds_what_is_in_flight_on_one(cap: int) -> None:
    limits = Limits(in_flight=Amount(50), rate=50.0, ramp=False, per_instance=cap)
    played = stage_of(24, limits=limits, per_instance=4).play()
    assert played.outcomes() == {"succeeded": 24}
    assert most_at_once(played, lambda target: target.instance_id) == cap


def test_per_label_bounds_what_shares_a_value() -> None:
    limits = Limits(in_flight=Amount(50), rate=50.0, ramp=False, per_label={"app": 2})
    played = stage_of(24, limits=limits).play()
    assert played.outcomes() == {"succeeded": 24}
    assert most_at_once(played, lambda target: target.labels["app"]) == 2


def test_in_flight_is_reached_and_never_exceeded() -> None:
    limits = Limits(in_flight=Amount(7), rate=50.0, ramp=False)
    played = stage_of(30, limits=limits).play()
    assert most_at_once(played, lambda _target: "all") == 7


def test_the_ramp_doubles_with_success() -> None:
    limits = Limits(in_flight=Amount(8), rate=50.0)
    waves = (Wave(name="canary", size=Amount(1)), Wave(name="rest"))
    played = stage_of(60, limits=limits, waves=waves).play()
    now_open: set[str] = set()
    most_by_success: dict[int, int] = {}
    for record in played.records:
        if isinstance(record, Intent) and record.wave == "rest":
            now_open.add(record.target or "")
        elif isinstance(record, Settled):
            now_open.discard(record.target or "")
        successes = sum(isinstance(other, Settled) for other in played.records[: played.records.index(record)]) - 1
        most_by_success[successes] = max(most_by_success.get(successes, 0), len(now_open))
    for successes, most in most_by_success.items():
        assert most <= max(1, 2 ** max(0, (successes + 1).bit_length() - 1)), (successes, most)
    assert max(most_by_success.values()) == 8
