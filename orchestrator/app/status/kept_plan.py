"""The plan of a fleet as its latest run keeps it, for verbs that need no more when the file is broken or gone."""

from pathlib import Path

from orchestrator.errors import StateError
from orchestrator.host import path_of
from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.settings import in_force
from orchestrator.tracker.runs.recovery import latest_run
from orchestrator.tracker.state_store import Fleet, State


def kept_plan(state: State, path: Path) -> Plan | None:
    """The plan of the latest run of a fleet, begun from this file, as its latest session had it; None without one.

    Args:
        state: the state folder.
        path: of the plan file, which need not be there.

    Raises:
        PlanError: the fleet belongs to another file by now.
        StateError: no fleet is known to have run from it, and one whose latest run cannot be read may have.
    """
    unread: StateError | None = None
    for fleet in state.fleets():
        try:
            plan = _latest_plan(fleet)
        except StateError as error:  # of a neighbour, as a rule: that keeps nobody from reaching this fleet
            unread = unread or error
            continue
        if plan is not None and path_of(plan.path) == path.absolute():
            fleet.expect_owner(path.absolute())
            return plan
    if unread is not None:
        raise unread
    return None


def _latest_plan(fleet: Fleet) -> Plan | None:
    run = latest_run(fleet)
    return None if run is None else in_force(run.plan(), run.settings())
