"""Why a scope cannot be used, for people: with its place in the plan when what the plan says may be the mistake."""

from orchestrator.model.plan.plan import Plan
from orchestrator.planner.reading.locate import mentioned_at


def unusable_words(plan: Plan, name: str, why: str) -> str:
    """One line about a scope.

    Args:
        plan: the plan, whose file may have been changed since.
        name: of the scope.
        why: what the cloud or this host said.
    """
    said, advice = f"scope {name} cannot be used: {why}", project_advice(plan, name, why)
    return said if advice is None else f"{said} -> {advice}"


def project_advice(plan: Plan, name: str, why: str) -> str | None:
    """What to do when a scope may have the wrong project_id, with its place; None when nothing speaks for that."""
    project_id = next((scope.project_id for scope in plan.scopes if scope.name == name), None)
    if project_id is None or "project" not in why.lower():
        return None
    place = mentioned_at([plan.path], project_id)
    where = "" if place is None else f"{place}: "
    return f"{where}project_id {project_id}: correct it, or let these credentials use that project"
