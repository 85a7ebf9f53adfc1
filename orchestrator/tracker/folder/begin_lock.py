"""The lock of a whole state folder, held for the moment in which a run begins."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import ceil
from pathlib import Path
from threading import Event

from orchestrator.errors import StateError
from orchestrator.tracker.disk import guard, open_private
from orchestrator.tracker.folder.paths import BEGIN

_PAUSE_S = 0.1


@contextmanager
def one_begins(state: Path, *, patience_s: float = 60.0) -> Iterator[None]:
    """Let one fleet of a state folder at a time begin a run: of two that share a proxy, the second sees the first.

    Args:
        state: the state folder.
        patience_s: how long to wait for one that is beginning.

    Raises:
        StateError: the state folder cannot be used, or another start does not come to its end.
    """
    path = state / BEGIN
    with guard(path, "write"):
        handle = open_private(path, os.O_RDWR | os.O_CREAT)
    try:
        _wait_for(handle, path, patience_s)
        yield
    finally:
        os.close(handle)


def _wait_for(handle: int, path: Path, patience_s: float) -> None:
    never = Event()
    for _ in range(max(1, ceil(patience_s / _PAUSE_S))):
        with guard(path, "lock"), suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        never.wait(_PAUSE_S)
    raise StateError(
        f"{path}: another fleet has been beginning a run for {patience_s:g} s",
        hint="see which process holds this file and does not come to its end, then run again",
    )
