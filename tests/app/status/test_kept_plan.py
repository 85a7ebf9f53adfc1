"""Verbs that need no more than the fleet go by the plan that its latest run keeps."""

from pathlib import Path
from typing import Any

import pytest
from fakes.memory_state import MemoryState
from fakes.recorded import make_plan, make_targets, run_started

from orchestrator.app.status.kept_plan import kept_plan
from orchestrator.errors import JournalDamaged, PlanError
from orchestrator.model.plan.plan import Plan

TARGETS = make_targets(2)


def ran_from(path: Path) -> MemoryState:
    state = MemoryState()
    state.fleet("prod", writes=True).claim(path)
    state.fleet("prod").begin(make_plan(TARGETS, path=str(path)), TARGETS, run_started(2))
    return state


def test_a_plan_file_that_is_gone_leaves_the_plan_of_its_latest_run(tmp_path: Path) -> None:
    path = tmp_path / "prod.yaml"
    kept = kept_plan(ran_from(path), path)
    assert kept is not None
    assert (kept.name, kept.path) == ("prod", str(path))


def test_a_file_from_which_no_fleet_ran_has_none(tmp_path: Path) -> None:
    assert kept_plan(ran_from(tmp_path / "prod.yaml"), tmp_path / "other.yaml") is None
    assert kept_plan(MemoryState(), tmp_path / "prod.yaml") is None


def test_a_fleet_that_was_handed_over_is_not_reached_by_its_old_file(tmp_path: Path) -> None:
    old, new = tmp_path / "prod.yaml", tmp_path / "moved.yaml"
    state = ran_from(old)
    new.touch()
    state.fleet("prod", writes=True).hand_over(old, new)
    with pytest.raises(PlanError):
        kept_plan(state, old)


def damage(state: MemoryState, name: str) -> None:
    """The latest run of a fleet cannot be read."""

    def unreadable() -> Plan:
        raise JournalDamaged("the plan of the run is damaged")

    run: Any = state.fleet(name).runs()[-1]
    run.plan = unreadable


def test_a_neighbour_whose_run_is_damaged_does_not_keep_a_fleet_from_its_plan(tmp_path: Path) -> None:
    path = tmp_path / "prod.yaml"
    state = ran_from(path)
    state.fleet("other").begin(make_plan(TARGETS, path=str(tmp_path / "other.yaml")), TARGETS, run_started(2))
    damage(state, "other")
    kept = kept_plan(state, path)
    assert kept is not None
    assert kept.path == str(path)


def test_a_damaged_run_that_may_be_the_fleets_own_is_said(tmp_path: Path) -> None:
    state = ran_from(tmp_path / "prod.yaml")
    damage(state, "prod")
    with pytest.raises(JournalDamaged):
        kept_plan(state, tmp_path / "prod.yaml")
