"""The place of the one process that works on a fleet: taken now, or after standing by for the one that has it."""

from contextlib import ExitStack
from datetime import datetime, timedelta

from orchestrator.app.run.found_before import latest_of
from orchestrator.clock import SystemClock
from orchestrator.errors import FleetLocked
from orchestrator.tracker.served_groups import IDLE, StandBy
from orchestrator.tracker.state_store import Fleet


def take_place(fleet: Fleet, now: datetime, stack: ExitStack, stands_by: StandBy = IDLE) -> None:
    """Hold the fleet's lock until the stack is left.

    One that was told to stop leaves its place to who stands by, and one that may not serve what is left to who may.

    Raises:
        FleetLocked: another process works on the fleet, or its session has come to its end.
        StateError: the state cannot be used.
    """
    clock = SystemClock()
    asked_s = clock.monotonic()
    while True:
        stood_by = timedelta(seconds=round(clock.monotonic() - asked_s))
        try:
            stack.enter_context(fleet.lock(now + stood_by, stands_by=stands_by))
        except FleetLocked:
            if not _left_to_us(fleet):
                raise
        else:
            return


def _left_to_us(fleet: Fleet) -> bool:
    latest = latest_of(fleet) if fleet.holder() is None else None
    if latest is None or latest.run.ended or latest.run.session_ended is None:
        return False
    return latest.run.session_ended.goes_on_at(fleet.state.host)
