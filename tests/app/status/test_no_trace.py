"""A reader of a fleet that has not run here learns where the run may be: elsewhere, or in a rehearsal."""

from pathlib import Path

from fakes.recorded import make_plan, make_targets

from orchestrator.app.status.no_trace import no_trace
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
