"""Every plan in plans/ can be loaded and planned, and importing the planner stays cheap."""

import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.model.plan.plan import Capacity
from orchestrator.planner.plan_file.load import load_plan
from orchestrator.planner.plan_file.schema import PLAN
from orchestrator.planner.preview.preview import make_preview
from orchestrator.planner.preview.preview_text import table
from orchestrator.planner.targets.resolve import resolve_targets

PLANS = Path(__file__).parents[3] / "plans"
FILES = sorted(PLANS.glob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_plan_can_be_planned(file: Path) -> None:
    plan = load_plan(file)
    resolved = resolve_targets(plan)
    preview = make_preview(plan, resolved)
    assert preview.targets == len(resolved.targets)
    assert (preview.targets > 0 and preview.warnings == ()) or plan.discover
    assert any(plan.target_version in line for line in table(preview))


def test_the_quick_start_shows_a_whole_fleet() -> None:
    plan = load_plan(PLANS / "quickstart.yaml")
    assert len(plan.proxies) >= 40
    assert {len(target.labels) for target in plan.proxies} == {2}


def test_the_production_plan_shows_every_key() -> None:
    text = (PLANS / "staged-production.yaml").read_text(encoding="utf-8")
    for entry in PLAN.fields:
        assert f"{entry.key}:" in text or entry.key in text.split("auth at the")[0], entry.key


def test_the_discovered_fleet_is_all_from_the_cloud() -> None:
    plan = load_plan(PLANS / "discovered-fleet.yaml")
    assert {entry.scope for entry in plan.discover} == {scope.name for scope in plan.scopes}
    preview = make_preview(plan, resolve_targets(plan))
    assert preview.targets == 0
    assert preview.warnings[0].startswith("discover: finding proxies needs the network")


def test_the_watched_rollout_minds_all_that_others_tell() -> None:
    plan = load_plan(PLANS / "watched-rollout.yaml")
    assert any(gate.promql for gate in plan.gates)
    assert any(gate.cloud_eye and gate.cloud_eye.compare == "control" for gate in plan.gates)
    assert plan.impact == "cloud_eye"
    assert plan.capacity is not None
    assert plan.capacity.subnet_reserve > Capacity().subnet_reserve
    assert plan.cloud_events == "wait"
    assert plan.limits.per_window is not None


def test_the_smallest_plan_is_six_lines() -> None:
    lines = (PLANS / "smallest.yaml").read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if not line.startswith("#")]) == 6


def test_importing_the_planner_loads_nothing_heavy() -> None:
    code = (
        "import sys, orchestrator.planner.plan_file.load"
        ", orchestrator.planner.preview.preview, orchestrator.planner.preview.preview_text;"
        "print(*sorted(m for m in ('asyncio', 'rich', 'aiohttp', 'anyio', 'zoneinfo', 'structlog', 'difflib', 'json')"
        " if m in sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""
