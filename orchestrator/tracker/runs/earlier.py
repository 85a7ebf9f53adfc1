"""In which run of a fleet a proxy took the outcome that counts: not in one that only left it out for it. Reads only."""

from collections.abc import Collection, Iterator

from orchestrator.model.record.outcome import FAILED_BEFORE, Outcome
from orchestrator.model.run.state import TargetState
from orchestrator.tracker.runs.recovery import recover
from orchestrator.tracker.state_store import Fleet


def runs_that_settled(fleet: Fleet, proxy_ids: Collection[str]) -> Iterator[tuple[str, TargetState]]:
    """The run_id of the run that first found each proxy as it is, with its state in the newest that says so.

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
                yield _first_told(run.run_id, states[key]), states[key]


def _first_told(run_id: str, state: TargetState) -> str:
    """The run that told it first: one that found a proxy as it was, and sent nothing for it, knows of which that is."""
    found_as_before = state.no_news and not state.attempts
    return state.earlier.run_id if state.earlier is not None and found_as_before else run_id


def tells_something(state: TargetState) -> bool:
    """Whether a run settled a target, and did more than leave it out for what an earlier one had found."""
    return state.outcome not in (None, Outcome.NOT_STARTED) and state.reason != FAILED_BEFORE
