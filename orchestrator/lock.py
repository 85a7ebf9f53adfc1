"""The lock of a fleet: one process at a time, guarded by the kernel, which frees it when that process dies.

The lock is on the open file, not its existence, so nothing is ever left to be cleaned up. What stands in the file only
tells people who holds it; it decides nothing.
"""

import fcntl
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from orchestrator.errors import FleetLocked, StateError

_MODE = 0o600
_MOST_BYTES = 1000
#: Tries to get past processes that only look who holds the lock, which takes each of them some microseconds.
_TRIES = 100


@contextmanager
def fleet_lock(path: Path, since: datetime) -> Iterator[None]:
    """Hold a fleet's lock for the length of the block.

    Args:
        path: of the lock file; its folder must exist. The file stays when the lock is gone: removing it would let two
            processes hold two locks of the same name.
        since: now, for whoever finds the lock held.

    Raises:
        FleetLocked: another process holds it; the message says which.
        StateError: the lock file cannot be used.
    """
    handle = _open(path)
    try:
        _take(handle, path, since)
        try:
            yield
        finally:
            os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def holder(path: Path) -> str | None:
    """Who holds a fleet's lock now, in words; None when nobody does. Never takes it for longer than a glance.

    Raises:
        StateError: the lock file cannot be used.
    """
    if not path.exists():
        return None
    handle = _open(path)
    try:
        # A shared lock does not keep out another one who only looks.
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _told(handle)
    except OSError as error:
        raise _unusable(path, error) from error
    else:
        return None
    finally:
        os.close(handle)


def _open(path: Path) -> int:
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
        os.fchmod(handle, _MODE)
    except OSError as error:
        raise _unusable(path, error) from error
    return handle


def _take(handle: int, path: Path, since: datetime) -> None:
    try:
        _lock(handle)
        os.ftruncate(handle, 0)
        told = {"pid": os.getpid(), "host": platform.node(), "since": f"{since:%Y-%m-%dT%H:%M:%SZ}"}
        os.pwrite(handle, json.dumps(told).encode() + b"\n", 0)
    except BlockingIOError as error:
        raise FleetLocked(
            f"{path.parent.name}: another process works on this fleet: {_told(handle)}",
            hint="wait for its end; `status` shows what it does, `hold` stops what it starts",
        ) from error
    except OSError as error:
        raise _unusable(path, error) from error


def _lock(handle: int) -> None:
    for _ in range(_TRIES):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # Whoever only looks shares the lock, so this succeeds and we try again; beside a holder it raises.
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        else:
            return
    raise BlockingIOError


def _told(handle: int) -> str:
    try:
        told = json.loads(os.pread(handle, _MOST_BYTES, 0))
        return f"process {told['pid']} on {told['host']}, since {told['since']}"
    except (ValueError, KeyError, TypeError):
        return "it has not yet said who it is"


def _unusable(path: Path, error: OSError) -> StateError:
    return StateError(
        f"{path}: cannot lock the fleet: {error.strerror or error}",
        hint="the state folder must be on a local disk that this user may write to",
    )
