"""Dying on purpose: tests name a point of a proxy's story and the how-manieth pass at which the process is killed."""

import os
import signal
from collections.abc import Callable, Mapping

from orchestrator.executor.points import Point

#: `POINT:N`, as in `intent_written:3`. Set by tests only; without it nothing here does anything.
VARIABLE = "ORCHESTRATOR_CRASH_AT"


def crasher(environ: Mapping[str, str]) -> Callable[[Point], None]:
    """What a session calls at every point: nothing, or the end of the process by SIGKILL."""
    wanted, _, number = environ.get(VARIABLE, "").partition(":")
    if not wanted:
        return _survive
    left = int(number or 1)

    def reached(point: Point) -> None:
        nonlocal left
        if point == wanted:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return reached


def _survive(_point: Point) -> None:
    pass
