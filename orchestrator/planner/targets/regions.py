"""Whether it is known where every scope of a plan answers. Asks nobody."""

from collections.abc import Mapping

from orchestrator.errors import PlanError
from orchestrator.model.plan.plan import Plan, Scope
from orchestrator.model.plan.region import REGION_HINT, service_host, unknown_region
from orchestrator.planner.reading.locate import with_place
from orchestrator.planner.reading.problems import At


def check_regions(plan: Plan, environ: Mapping[str, str]) -> None:
    """See that each scope has an endpoint, or a region whose endpoint is known.

    Raises:
        PlanError: at the first region that is not known.
    """
    for scope in plan.scopes:
        if scope.endpoint is None and service_host(scope.region, environ) is None:
            message = unknown_region(scope.region)
            raise PlanError(with_place(plan.path, _place(plan, scope), message), hint=REGION_HINT)


def _place(plan: Plan, scope: Scope) -> At:
    if "scopes" in plan.written:
        return ((None, "scopes"), scope.name), "region"
    return None, "region"
