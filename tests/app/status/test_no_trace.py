"""A reader of a fleet that has not run here learns where the run may be: elsewhere, or in a rehearsal."""

from pathlib import Path

from fakes.memory_state import MemoryState
from fakes.recorded import BEGIN, make_plan, make_targets, run_started
from msgspec import structs

from orchestrator.app.status.no_trace import no_trace
from orchestrator.model.record.record import RunEnded
from orchestrator.tracker.open_state import open_state

PLAN = make_plan(make_targets(1))


def hint(tmp_path: Path, *, simulated: bool) -> str:
    state = open_state(str(tmp_path), {}, Path(PLAN.path), simulated=simulated)
    return no_trace(PLAN, state).hint or ""


def test_who_looks_for_a_rehearsal_among_real_runs_learns_the_option(tmp_path: Path) -> None:
    assert hint(tmp_path, simulated=False).endswith("of a rehearsal, add --simulate")


def test_what_begins_a_run_keeps_the_state_that_was_asked_for(tmp_path: Path) -> None:
    told = hint(tmp_path, simulated=True)
    assert f"orchestrator run {PLAN.path} --state {tmp_path} --simulate;" in told
    assert "rehearsal" not in told


def test_a_plan_that_was_probably_renamed_is_not_told_to_begin_first(tmp_path: Path) -> None:
    state = MemoryState()
    old = state.fleet("old", writes=True)
    old.claim(tmp_path / "gone.yaml")
    old.begin(PLAN, make_targets(1), run_started(1)).resume(2).append([RunEnded(at=BEGIN)])
    told = no_trace(structs.replace(PLAN, name="new"), state).hint or ""
    words = (
        "gone.yaml is gone; if this plan is that file, moved or renamed: write `name: old` into it; else begin one: "
    )
    assert words in told
