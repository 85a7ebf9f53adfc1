"""The plan of a fleet as its latest run keeps it, for verbs that need no more when the file is broken or gone."""

from pathlib import Path

from orchestrator.host import path_of
from orchestrator.model.plan import Plan
from orchestrator.tracker.runs.recovery import latest_run
from orchestrator.tracker.state import State


def kept_plan(state: State, path: Path) -> Plan | None:
    """The plan that the latest run of a fleet was begun with, from this file; None when no fleet ran from it.

    Args:
        state: the state folder.
        path: of the plan file, which need not be there.

    Raises:
        PlanError: the fleet belongs to another file by now.
        StateError: a run cannot be read.
    """
    for fleet in state.fleets():
        run = latest_run(fleet)
        plan = None if run is None else run.plan()
        if plan is not None and path_of(plan.path) == path.absolute():
            fleet.expect_owner(path.absolute())
            return plan
    return None
