"""Failing on purpose: tests name a point of a proxy's story and the how-manieth pass at which the process fails.

What happens there is the end of the process by SIGKILL, or an exception that nobody expects, or that nothing moves.
"""

import os
import signal
from collections.abc import Callable, Mapping

from orchestrator.executor.points import Point

#: `POINT:N` or `POINT:N:HOW`, as in `intent_written:3:raise`. Set by tests only; without it nothing here does anything.
VARIABLE = "ORCHESTRATOR_CRASH_AT"


class Injected(Exception):
    """What is thrown on purpose."""


def crasher(environ: Mapping[str, str]) -> Callable[[Point], None]:
    """What a session calls at every point: nothing, or the failure that was asked for."""
    wanted, _, rest = environ.get(VARIABLE, "").partition(":")
    if not wanted:
        return _survive
    number, _, how = rest.partition(":")
    left, fail = int(number or 1), _WAYS[how or "kill"]

    def reached(point: Point) -> None:
        nonlocal left
        if point == wanted:
            left -= 1
            if left == 0:
                fail()

    return reached


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
