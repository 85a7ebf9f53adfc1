"""The clock that all hosts of a state go by: what is written there, and what is read of it, is timed by it."""

from orchestrator.clock import SystemClock
from orchestrator.tracker.state_store import State


def state_clock(state: State) -> SystemClock:
    """This host's clock, set by the one that the hosts of a state share, where it has several.

    Raises:
        StateError: the state cannot be used.
    """
    return SystemClock(state.ahead())
