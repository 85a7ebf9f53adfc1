"""Which signals ask this process to stop, and what they do before, between and after its event loops.

A loop that listens for them takes them over, and gives them back with no handler: so the code that listens says
afterwards what they do from then on.
"""

from __future__ import annotations

# `signal` without its enums, which take half as long as the interpreter: a stop counts from the first moment on.
import _signal as signal  # type: ignore[import-not-found]  # typeshed leaves it out
import os
from itertools import count

TYPE_CHECKING = False  # as `typing` has it, whose import would take longer than the rest
if TYPE_CHECKING:
    from signal import Signals
    from types import FrameType

_STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def stop_signals() -> tuple[Signals, ...]:
    """A stop, Ctrl-C and a closed terminal; without those that the caller had ignored for us, as `nohup` does."""
    return tuple(number for number in _STOPS if signal.getsignal(number) != signal.SIG_IGN)


def leave_on_stop(code: int, *, ignored: int = 0) -> None:
    """From now on a stop ends the process at once with this exit code: nothing is under way.

    No exception is raised for it: that would come out anywhere, also where it is swallowed. What matters is on disk.

    Args:
        code: the exit code.
        ignored: so many stops change nothing: the session is ending already.
    """
    stops = count()

    def leave(_number: int, _frame: FrameType | None) -> None:
        if next(stops) >= ignored:
            os._exit(code)

    for number in stop_signals():
        signal.signal(number, leave)


def ignore_stops() -> None:
    """From now on a stop changes nothing: all is said, and the interpreter is about to end.

    While it ends it gives every signal but an ignored one back to the system, which would end it by that signal.
    """
    for number in stop_signals():
        signal.signal(number, signal.SIG_IGN)
