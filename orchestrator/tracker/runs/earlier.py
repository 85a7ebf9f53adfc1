"""In which run of a fleet a proxy took the outcome that counts: not in one that only left it out for it. Reads only."""

from collections.abc import Collection, Iterator

from orchestrator.model.record.outcome import FAILED_BEFORE, Outcome
from orchestrator.model.run.state import TargetState
from orchestrator.tracker.runs.recovery import recover
from orchestrator.tracker.state_store import Fleet


def runs_that_settled(fleet: Fleet, proxy_ids: Collection[str]) -> Iterator[tuple[str, TargetState]]:
    """The run_id of the newest run that settled each proxy and knew more than the run before, with its state there.

    Args:
        fleet: whose runs.
        proxy_ids: those that are asked for. One that no run settled is not among the answers.

    Raises:
        StateError: a run cannot be read.
    """
    missing = set(proxy_ids)
    for run in reversed(fleet.runs()):
        if not missing:
            return
        states = recover(run).run.states
        for key in sorted(missing & states.keys()):
            if tells_something(states[key]):
                missing.discard(key)
                yield run.run_id, states[key]


def tells_something(state: TargetState) -> bool:
    """Whether a run settled a target, and did more than leave it out for what an earlier one had found."""
    return state.outcome not in (None, Outcome.NOT_STARTED) and state.reason != FAILED_BEFORE
