"""A plan file against what a simulated session made of it."""

import pytest
from fakes.recorded import make_plan, make_targets
from msgspec.structs import replace

from orchestrator.app.simulate.in_simulation import as_simulated, in_simulation
from orchestrator.model.plan.health_gate import EyeQuestion, HealthGate, MetricBound
from orchestrator.model.plan.plan import Follow, Notify, Wave
from orchestrator.model.plan.settings import changes_between, settings_changed

URL = "http://127.0.0.1:4711"
GATES = (
    HealthGate(name="metric", cloud_eye=EyeQuestion(metric="rds_proxy_average_response_time", max=MetricBound(5.0))),
    HealthGate(name="slo", command=("true",), every_s=7.0, hold_after_s=1000.0),
)
PLAN = make_plan(
    make_targets(3), gates=GATES, waves=(Wave(name="all", soak_s=700.0),), notify=(Notify(command=("x",)),)
)


@pytest.mark.parametrize("speed", [1.0, 3.0, 7.3, 60.0, 240.0, 2000.0])
def test_what_a_simulation_sets_itself_is_no_change(speed: float) -> None:
    session = in_simulation(PLAN, URL, speed)
    now = as_simulated(PLAN, session)
    assert (settings_changed(session, now), changes_between(session, now)) == ({}, [])


def test_an_edit_is_one_in_the_time_of_the_simulation() -> None:
    session = in_simulation(PLAN, URL, 60.0)
    edited = replace(PLAN, follow=Follow(timeout_s=1800.0), limits=replace(PLAN.limits, per_instance=2))
    changed = settings_changed(session, as_simulated(edited, session))
    assert changed == {"follow.timeout": "60s -> 30s", "limits.per_instance": "1 -> 2"}
