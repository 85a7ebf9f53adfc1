"""The JSON Schema of a plan, for editors, from the same declaration that reads it."""

from typing import Any

from orchestrator.planner.plan_file.schema import PLAN


def plan_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of a plan file: what `plan` accepts, save rules that compare values of two keys."""
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Fleet plan of orchestrator",
        "description": "What to upgrade, how far and how fast, and when to stop.",
    }
    return {**head, **PLAN.json()}
