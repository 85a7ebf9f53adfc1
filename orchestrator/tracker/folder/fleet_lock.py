"""The lock of a fleet: one process at a time, guarded by the kernel, which frees it when that process dies.

The lock is on the open file, not its existence, so nothing is ever left to be cleaned up. What stands in the file only
tells people who holds it; it decides nothing.

Beside the lock (`flock`) its holder puts a mark on the file that others can ask the kernel for: an open file
description lock, see fcntl(2). To ask takes nothing, so that a reader never keeps out a start.
"""

import errno
import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from orchestrator.errors import FleetLocked, StateError
from orchestrator.host import machine_name, open_plain

_MODE = 0o600
_MOST_BYTES = 1000
#: `struct flock` of 64-bit systems: type, whence, start, length, process.
_FLOCK = "@hhqqi4x"
_MARK = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
_SET_MARK: int | None = getattr(fcntl, "F_OFD_SETLK", None)
_GET_MARK: int | None = getattr(fcntl, "F_OFD_GETLK", None)


@contextmanager
def fleet_lock(path: Path, since: datetime) -> Iterator[None]:
    """Hold a fleet's lock for the length of the block.

    Args:
        path: of the lock file; its folder must exist. The file stays when the lock is gone: removing it would let two
            processes hold two locks of the same name.
        since: now, for a process that finds the lock held.

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
    """Who holds a fleet's lock now, in words; None when nobody does.

    Where the kernel has no such marks, one that was killed is named until the next one comes.

    Raises:
        StateError: the lock file cannot be used.
    """
    try:
        handle = open_plain(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(path, error) from error
    try:
        return _holder(handle) if _is_marked(handle) else None
    except OSError as error:
        raise _unusable(path, error) from error
    finally:
        os.close(handle)


def _is_marked(handle: int) -> bool:
    if _GET_MARK is None:
        return os.fstat(handle).st_size > 0
    found: int = struct.unpack(_FLOCK, fcntl.fcntl(handle, _GET_MARK, _MARK))[0]
    return found != fcntl.F_UNLCK


def _open(path: Path) -> int:
    try:
        handle = open_plain(path, os.O_RDWR | os.O_CREAT, _MODE)
        os.fchmod(handle, _MODE)
    except OSError as error:
        raise _unusable(path, error) from error
    return handle


def _take(handle: int, path: Path, since: datetime) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(handle, 0)
        holder = {"pid": os.getpid(), "host": machine_name(), "since": f"{since:%Y-%m-%dT%H:%M:%SZ}"}
        os.pwrite(handle, msgspec.json.encode(holder) + b"\n", 0)
        if _SET_MARK is not None:
            fcntl.fcntl(handle, _SET_MARK, _MARK)
    except BlockingIOError as error:
        raise FleetLocked(
            f"{path.parent.name}: another process works on this fleet: {_holder(handle)}",
            hint="wait for its end; `status` shows what it does, `hold` stops what it starts",
        ) from error
    except OSError as error:
        raise _unusable(path, error) from error


def _holder(handle: int) -> str:
    try:
        holder = msgspec.json.decode(os.pread(handle, _MOST_BYTES, 0))
        return f"process {holder['pid']} on {holder['host']}, since {holder['since']}"
    except (msgspec.DecodeError, ValueError, KeyError, TypeError):
        return "it has not yet said who it is"


def _unusable(path: Path, error: OSError) -> StateError:
    return StateError(
        f"{path}: cannot lock the fleet: {error.strerror or error}",
        hint="open files: raise the limit (ulimit -n)"
        if error.errno in (errno.EMFILE, errno.ENFILE)
        else "the state folder must be on a local disk that this user may write to",
    )
