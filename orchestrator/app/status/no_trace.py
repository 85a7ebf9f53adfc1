"""Why there is nothing to tell of a fleet."""

from pathlib import Path

from orchestrator.errors import UsageError
from orchestrator.model.plan.plan import Plan
from orchestrator.tracker.named_plan import named_plan
from orchestrator.tracker.state_store import State


def no_trace(plan: Plan, state: State) -> UsageError:
    """With what may be wrong: never started, only rehearsed, or kept in another state folder."""
    named = named_plan(plan, state)
    rehearsed = "" if "--simulate" in state.options(Path(plan.path)) else "; of a rehearsal, add --simulate"
    hint = f"begin one: orchestrator run {named}; of an earlier one, name its state folder with --state{rehearsed}"
    return UsageError(f"{plan.path}: there is no trace of any run of fleet {plan.name} in {state}", hint=hint)
