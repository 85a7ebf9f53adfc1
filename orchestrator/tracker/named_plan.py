"""The plan as commands name it that a person may paste, wherever that is."""

from pathlib import Path
from shlex import join

from orchestrator.model.plan import Plan
from orchestrator.tracker.state_store import State


def named_plan(plan: Plan, state: State) -> str:
    """The plan's path, quoted, and what decides over the state.

    Without these a pasted command would reach another fleet, which knows nothing of what was sent, or the real cloud.
    """
    return join([plan.path, *state.options(Path(plan.path))])
