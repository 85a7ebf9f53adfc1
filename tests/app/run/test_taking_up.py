"""A start that goes on with a run of which nearly all is done: no target that has its outcome is unpacked."""

from fakes.memory_state import MemoryState
from fakes.plausible import PlausibleRun

from orchestrator.app.run.begin_or_resume import take_up, unfinished_run
from orchestrator.app.run.found_before import past_of
from orchestrator.model.record.record import RunStarted
from orchestrator.planner.next_run import Asked, run_goes_on
from orchestrator.tracker.runs.recovery import renew_checkpoint


def test_no_target_that_has_its_outcome_is_unpacked() -> None:
    live, fleet = PlausibleRun(7).steps(100), MemoryState().fleet("prod")
    first, *rest = live.records
    assert isinstance(first, RunStarted)
    stored = fleet.begin(live.plan, live.targets, first)
    stored.resume(2).append(rest)
    renew_checkpoint(stored, live.targets)
    latest = unfinished_run(fleet)
    assert latest is not None
    unpacked = len(list(latest.run.states.unpacked()))
    assert unpacked < len(latest.run.states)
    assert run_goes_on(past_of(latest, {}, live.plan), Asked())
    take_up(latest, live.plan)
    assert len(list(latest.run.states.unpacked())) == unpacked
