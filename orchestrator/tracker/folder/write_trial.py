"""A trial of the disk before a night depends on it: as much as a record is written, brought there, and taken away."""

import os
from collections.abc import Callable
from pathlib import Path

from orchestrator.tracker.disk import guard, sync_folder, write_all
from orchestrator.tracker.state_store import DiskTrial

#: About as long as a record.
_BYTES = b"\0" * 1000


def try_write(folder: Path, monotonic: Callable[[], float]) -> DiskTrial:
    """Write where the folder is, or where it would be made, and leave nothing behind.

    Raises:
        StateError: it cannot be written.
    """
    with guard(folder, "use the folder"):
        place = next(path for path in (folder, *folder.parents) if path.exists())
    with guard(place, "write"):
        began_s = monotonic()
        from tempfile import mkstemp  # noqa: PLC0415  # brings chance and compression along

        handle, name = mkstemp(prefix=".trial-", dir=place)
        try:
            write_all(handle, _BYTES)
            os.fsync(handle)
            sync_folder(place)
            seconds = monotonic() - began_s
            found = os.fstatvfs(handle)
        finally:
            os.close(handle)
            Path(name).unlink(missing_ok=True)
    return DiskTrial(seconds, found.f_bavail * found.f_frsize)
