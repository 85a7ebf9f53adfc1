"""`orchestrator status --watch`: drawn again and again on a terminal, a line for each change elsewhere."""

import sys
from collections.abc import Callable, Iterable

import anyio

from orchestrator.app.process.signals import leave_on_stop
from orchestrator.app.status.document import StatusDocument
from orchestrator.app.status.watch import Changes, watch
from orchestrator.cli.streams import is_read
from orchestrator.cli.terminal import can_redraw, redraw, write
from orchestrator.clock import SystemClock
from orchestrator.errors import ExitCode


def watch_status(
    working: Callable[[], bool], lines: Callable[[], Iterable[str]], document: Callable[[], StatusDocument]
) -> None:
    """Watch until no process works on the fleet, nobody reads here any more, or a person stops it, which is no failure.

    Args:
        working: whether a process works on the fleet.
        lines: where it stands, for a terminal.
        document: the same for everything else.
    """
    leave_on_stop(ExitCode.DONE)
    changes = Changes()

    def show() -> bool:
        if can_redraw():
            redraw(lines())
        elif line := changes.line(document()):
            write([line])
        sys.stdout.flush()
        return is_read(sys.stdout.fileno())

    anyio.run(watch, working, show, SystemClock())
