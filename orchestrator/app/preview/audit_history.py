"""Whether a preview is also an audit: the fleet's history, when its last run was for the plan's target version."""

from orchestrator.host import path_of
from orchestrator.model.learned.history import History
from orchestrator.model.plan.plan import Plan
from orchestrator.model.reply.version import same_version
from orchestrator.tracker.runs.past_runs import read_history
from orchestrator.tracker.state_store import State


def history_of(plan: Plan, state: State) -> History | None:
    """The history to hold reality against; None before the first run for this version. Writes nothing.

    Raises:
        PlanError: the fleet's name belongs to another plan.
        StateError: a run cannot be read.
    """
    fleet = state.fleet(plan.name)
    fleet.expect_owner(path_of(plan.path))
    history = read_history(fleet)
    return history if history and same_version(history.target_version, plan.target_version) else None
