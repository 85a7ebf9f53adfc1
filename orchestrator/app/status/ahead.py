"""A fleet before its first run: what its first start would meet, as far as it is known without asking the cloud."""

from collections.abc import Sequence
from datetime import datetime

from orchestrator.app.status.outlook import Ahead, Outlook, before_run
from orchestrator.errors import OrchestratorError
from orchestrator.executor.decide.waits import Cause, Wait
from orchestrator.model.learned.elsewhere import elsewhere_words
from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.target import Target
from orchestrator.planner.targets.resolve import resolve_targets
from orchestrator.tracker.runs.orphans import orphan
from orchestrator.tracker.runs.other_runs import busy_neighbour, open_elsewhere
from orchestrator.tracker.state_store import Fleet


def look_ahead(fleet: Fleet, plan: Plan, now: datetime) -> tuple[str | None, Outlook]:
    """Who works on a fleet that has had no run yet, and what its first start meets."""
    worker, targets = fleet.holder(), known_targets(plan)
    ahead = Ahead(working=True) if worker else _met(fleet, plan, targets)
    return worker, before_run(plan, targets, fleet.inbox().new(), now, ahead)


def known_targets(plan: Plan) -> Sequence[Target]:
    """Those that are written out, in the plan or in its inventories; a start says what is wrong with these."""
    try:
        return resolve_targets(plan).targets
    except OrchestratorError:
        return plan.proxies


def _met(fleet: Fleet, plan: Plan, targets: Sequence[Target]) -> Ahead:
    """The other fleet for which a start is refused, because of what it has open or what this one may be, or may be."""
    ids = {target.proxy_id for target in targets}
    elsewhere = open_elsewhere(fleet, ids)
    if elsewhere:
        return Ahead(barred=Wait(Cause.ELSEWHERE, (elsewhere_words(elsewhere),)))
    found = orphan(fleet, ids)
    if found is not None and found.binds is not None:
        return Ahead(barred=Wait(Cause.ELSEWHERE, (f"{found}; it {found.binds}; {found.hint}",)))
    discovered = {entry.scope for entry in plan.discover}
    near = busy_neighbour(fleet, [scope for scope in plan.scopes if scope.name in discovered])
    return Ahead(unseen=Wait(Cause.UNSEEN, (near,)) if near else None)
