"""Simulated upgrades that take longer than the plan waits are no disaster of the plan: it is said before."""

import re
from pathlib import Path

import pytest
from fakes.recorded import make_plan, make_targets

from orchestrator.app.simulate.redirect import simulated
from orchestrator.model.plan.plan import Follow, Plan

TARGETS = make_targets(12)


def warnings_of(plan: Plan, faults: str = "none", speed: float = 60.0) -> list[str]:
    told: list[str] = []
    with simulated(plan, TARGETS, seed=1, speed=speed, faults=faults, warn=told.append):
        return told


def impatient(**changes: object) -> Plan:
    return make_plan(TARGETS, follow=Follow(timeout_s=120.0, expected_s=60.0, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("speed", [1.0, 240.0])
def test_a_time_out_that_simulated_upgrades_outlast_is_told_in_the_plans_own_time(speed: float) -> None:
    (told,) = warnings_of(impatient(), speed=speed)
    assert "follow.timeout is 2 min" in told


def test_the_faults_that_the_warning_names_make_it_go_away(tmp_path: Path) -> None:
    (told,) = warnings_of(impatient())
    timing = re.search(r"`(timing: .+)`", told)
    assert timing
    faults = tmp_path / "faster.yaml"
    faults.write_text(f"base: none\n{timing[1]}\n")
    assert warnings_of(impatient(), str(faults)) == []


def test_a_plan_that_waits_long_enough_or_follows_no_job_is_not_warned_of() -> None:
    assert warnings_of(make_plan(TARGETS)) == []
    assert warnings_of(impatient(to="accepted")) == []


def test_where_no_upgrade_is_rehearsed_nobody_is_warned() -> None:
    with simulated(impatient(), TARGETS, seed=1, speed=60.0, faults="none") as (pointed, _):
        assert pointed.follow.timeout_s == 2.0
