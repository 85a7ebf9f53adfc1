"""Two runs of a fleet, read one after the other, and compared."""

from orchestrator.app.report.full_story import full_story
from orchestrator.errors import StateError, UsageError
from orchestrator.model.plan.plan import Plan
from orchestrator.tracker.named_plan import named_plan
from orchestrator.tracker.report.compare.compare import compare
from orchestrator.tracker.report.compare.comparison_schema import Comparison
from orchestrator.tracker.report.compare.witness import Witness, witness_of
from orchestrator.tracker.runs.recovery import recover
from orchestrator.tracker.state_store import StoredRun


def compare_runs(plan: Plan, one: StoredRun, other: StoredRun) -> Comparison:
    """What changed between two runs of the plan's fleet; the one that began first is the earlier one.

    Raises:
        UsageError: they are the same.
        StateError: one of them cannot be read.
    """
    if one.run_id == other.run_id:
        hint = f"name another one; all of them: orchestrator runs {named_plan(plan, one.fleet.state)}"
        raise UsageError(f"--compare: {other.run_id} would be compared with itself", hint=hint)
    earlier, later = sorted((one, other), key=lambda run: run.run_id)
    return compare(_witness(earlier, plan), _witness(later, plan))


def _witness(stored: StoredRun, plan: Plan) -> Witness:
    try:
        found = recover(stored)
    except StateError as error:
        listed = f"compare another run, see: orchestrator runs {named_plan(plan, stored.fleet.state)}"
        hint = "; ".join(filter(None, (listed, error.hint)))
        raise type(error)(f"run {stored.run_id} cannot be compared: {error}", hint=hint) from error
    return witness_of(full_story(found.run, found.in_force), frozenset(kept.target or "" for kept in found.run.kept))
