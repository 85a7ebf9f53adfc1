"""How long the upgrades of a fleet took, from the journals of its latest runs. Writes nothing."""

from collections.abc import Sequence

from orchestrator.host import path_of
from orchestrator.model.learned.durations import Durations
from orchestrator.model.plan.plan import Plan
from orchestrator.tracker.runs.recovery import recover
from orchestrator.tracker.state_store import State, StoredRun

#: When so many durations are known, older runs say nothing more.
_ENOUGH = 100

#: Older runs than these are not looked at.
_RUNS = 5


def durations_seen(plan: Plan, state: State) -> list[float]:
    """Seconds, the latest run's first; empty for a fleet that never ran.

    Raises:
        PlanError: the fleet's name belongs to another plan.
        StateError: a run cannot be read.
    """
    fleet = state.fleet(plan.name)
    fleet.expect_owner(path_of(plan.path))
    seen: list[float] = []
    for run in latest_first(fleet.runs()):
        seen += _all(recover(run).run.durations)
        if len(seen) >= _ENOUGH:
            break
    return seen


def latest_first(runs: Sequence[StoredRun]) -> Sequence[StoredRun]:
    """Those of the runs that are looked at."""
    return list(reversed(runs))[:_RUNS]


def _all(durations: Durations) -> list[float]:
    count = len(durations)
    found = (durations.quantile((number + 0.5) / count) for number in range(count))
    return [seconds for seconds in found if seconds is not None]
