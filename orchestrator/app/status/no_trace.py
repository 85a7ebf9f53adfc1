"""Why there is nothing to tell of a fleet."""

from pathlib import Path

from orchestrator.app.status.ahead import known_targets
from orchestrator.errors import UsageError
from orchestrator.model.plan.plan import Plan
from orchestrator.tracker.named_plan import named_plan
from orchestrator.tracker.runs.orphans import orphan
from orchestrator.tracker.state_store import State


def no_trace(plan: Plan, state: State) -> UsageError:
    """With what may be wrong: renamed, never started, only rehearsed, or kept in another state folder.

    Raises:
        StateError: the run of the fleet that it may have been cannot be read.
    """
    named = named_plan(plan, state)
    rehearsed = "" if "--simulate" in state.options(Path(plan.path)) else "; of a rehearsal, add --simulate"
    found = orphan(state.fleet(plan.name), {target.proxy_id for target in known_targets(plan)})
    renamed = f"{found}; {found.hint}; else " if found else ""
    begin = f"{renamed}begin one: orchestrator run {named}"
    hint = f"{begin}; of an earlier one, name its state folder with --state{rehearsed}"
    return UsageError(f"{plan.path}: there is no trace of any run of fleet {plan.name} in {state}", hint=hint)
