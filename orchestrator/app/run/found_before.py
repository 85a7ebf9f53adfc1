"""What the runs of a fleet have left behind, for who begins the next one or only asks what it would be."""

from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.settings import changes_between
from orchestrator.planner.next_run import LastOutcomes, Past
from orchestrator.tracker.runs.recovery import Recovered, latest_run, recover
from orchestrator.tracker.state_store import Fleet


def past_of(latest: Recovered | None, last: LastOutcomes, plan: Plan | None = None) -> Past:
    """What a fleet's runs have left behind, for a plan that may have changed."""
    if latest is None:
        return Past()
    changes = () if plan is None else tuple(changes_between(latest.plan, plan))
    attempts = 0 if plan is None else plan.retry.attempts
    return Past(run_id=latest.run_id, run=latest.run, last=last, changes=changes, attempts=attempts)


def latest_of(fleet: Fleet) -> Recovered | None:
    """The fleet's latest run, whether it has ended or not; None when it never ran.

    Raises:
        StateError: it cannot be read.
    """
    latest = latest_run(fleet)
    return None if latest is None else recover(latest)
