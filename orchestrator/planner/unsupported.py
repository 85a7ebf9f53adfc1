"""Which keys of a plan are understood but not carried out yet. A run refuses a plan that sets one of them."""

from collections.abc import Callable

from orchestrator.model.plan import Plan

#: One line for each feature to come, removed with it.
_NOT_YET: dict[str, Callable[[Plan], bool]] = {
    "limits.rate": lambda plan: plan.limits.rate == "auto",
    "scopes.rate": lambda plan: any(scope.rate == "auto" for scope in plan.scopes),
}


def unsupported_keys(plan: Plan) -> list[str]:
    """Dotted keys that are set to other than their default and whose behaviour this version does not have."""
    return [key for key, is_set in _NOT_YET.items() if is_set(plan)]
