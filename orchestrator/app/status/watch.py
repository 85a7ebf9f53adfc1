"""Watching a fleet: where it stands again and again, until the process that works on it has ended. Reads only."""

from collections.abc import Callable

from orchestrator.app.status.document import StatusDocument
from orchestrator.executor.ports import Clock

#: How often the journal is read again.
EVERY_S = 2.0


async def watch(working: Callable[[], bool], show: Callable[[], bool], clock: Clock) -> None:
    """Show where the fleet stands until nobody works on it; its last state is shown too.

    Args:
        working: whether a process works on it; asked before each look, so that the last look sees all it has written.
        show: look and show; whether anybody still watches.
        clock: for the pauses.
    """
    at_work = True
    while at_work:
        at_work = working()
        if not show():
            return
        if at_work:
            await clock.sleep(EVERY_S)


class Changes:
    """Of one look after the other, a line for each that tells something new."""

    def __init__(self) -> None:
        self._last = ""

    def line(self, document: StatusDocument) -> str | None:
        """What is new since the last look, with the time of this one; None when nothing is."""
        words = _words(document)
        if words == self._last:
            return None
        self._last = words
        return f"{document.at:%H:%M:%SZ} {words}"


def _words(document: StatusDocument) -> str:
    """Where a fleet stands in one line, without anything that changes with time alone."""
    run, totals, wait = document.run, document.totals, document.waits_for
    simulated = "SIMULATED: " if run is not None and run.simulated else ""
    state = run.state if run is not None else "no run"
    work = ", at work" if document.worker else ""
    outcomes = ", ".join(f"{count} {name}" for name, count in totals.outcomes.items()) if totals else ""
    counted = f": {outcomes}" if outcomes else ""
    return f"{simulated}{document.name} {state}{work}{counted}; waits for: {wait.sentence}; do: {wait.next_step}"
