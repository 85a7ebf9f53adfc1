"""Failing on purpose: tests name a point of a proxy's story and the nth pass at which the process fails.

What happens there is the end of the process by SIGKILL, or an exception that nobody expects, or that nothing moves.
"""

import os
import signal
from collections.abc import Callable, Mapping

from orchestrator.executor.crash_points import Point

#: `POINT:N` or `POINT:N:HOW`, as in `intent_written:3:raise`. Set by tests only; without it nothing here does anything.
VARIABLE = "ORCHESTRATOR_CRASH_AT"


#: How long the session may stand still, in whole seconds; set by tests only.
PATIENCE = "ORCHESTRATOR_PATIENCE_S"
#: Else it is this: no disk is so slow, and no wait that the program makes on purpose counts.
_PATIENCE_S = 300.0


class Injected(Exception):
    """What is thrown on purpose."""


def crasher(environ: Mapping[str, str]) -> Callable[[Point], None]:
    """What a session calls at every point: nothing, or the failure that was asked for."""
    wanted, _, rest = environ.get(VARIABLE, "").partition(":")
    number, _, how = rest.partition(":")
    fail = _WAYS.get(how or "kill")
    if wanted not in set(Point) or fail is None or not (number or "1").isdecimal():
        return _survive
    left = int(number or 1)

    def reached(point: Point) -> None:
        nonlocal left
        if point == wanted:
            left -= 1
            if left == 0:
                fail()

    return reached


def patience_s(environ: Mapping[str, str]) -> float:
    """For how many seconds the same thing may be due before the session counts as one that stands still."""
    asked = environ.get(PATIENCE, "")
    return float(asked) if asked.isdecimal() else _PATIENCE_S


def _survive(_point: Point) -> None:
    pass


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _throw() -> None:
    raise Injected


def _hang() -> None:
    while True:
        signal.pause()


_WAYS: Mapping[str, Callable[[], None]] = {"kill": _kill, "raise": _throw, "hang": _hang}
