"""Files that survive a crash and that nobody else may read: private modes, fsync, atomic replacement.

Its one job is to do file work in the few ways that the state folder needs, and to turn every `OSError` into a
`StateError` that names the path and says what to do. It knows nothing of what the files hold.
"""

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from orchestrator.errors import HOST_HINTS, StateError
from orchestrator.host import open_plain, open_to_hand_over

FILE_MODE = 0o600
FOLDER_MODE = 0o700

_HINTS = HOST_HINTS | {
    errno.ENOSPC: "free some space on that disk and start again; nothing was sent without its intent on disk",
    errno.EDQUOT: "the disk quota is used up: free some space and start again",
    errno.EFBIG: "the file may not grow any further: raise the limit (ulimit -f) and start again",
    errno.EROFS: "that disk is read-only: mount it read-write, or name another folder with --state",
    errno.EACCES: "give the folder and all in it to this user (chown -R), or name another one with --state",
    errno.EPERM: "give the folder and all in it to this user (chown -R), or name another one with --state",
    errno.ELOOP: "see who has put it there and why, then put the file itself in its place",
    errno.ENOENT: "the folder is gone: put it back from where it was moved to, or name the right one with --state",
    errno.EIO: "the disk fails: look at the system's log before starting again",
}
_DEFAULT_HINT = "the state folder must be on a durable local disk that this user may write to"


def state_error(error: OSError, path: Path, doing: str) -> StateError:
    """The error for a person: what could not be done to which path, why, and what to do about it."""
    why = error.strerror or str(error)
    return StateError(f"{path}: cannot {doing}: {why}", hint=_HINTS.get(error.errno or 0, _DEFAULT_HINT))


@contextmanager
def guard(path: Path, doing: str) -> Iterator[None]:
    """Turn any `OSError` of the block into a `StateError` about this path."""
    try:
        yield
    except OSError as error:
        raise state_error(error, path, doing) from error


def open_private(path: Path, flags: int) -> int:
    """Open a regular file with mode 0600 whatever the umask says; never inherited by child processes.

    Raises:
        OSError: it cannot be opened.
    """
    handle = open_plain(path, flags, FILE_MODE)
    if flags & os.O_CREAT:
        os.fchmod(handle, FILE_MODE)
    return handle


def open_to_read(path: Path, buffering: int = -1) -> BinaryIO:
    """Open a regular file for reading.

    Raises:
        OSError: it cannot be opened.
    """
    return os.fdopen(open_plain(path, os.O_RDONLY), "rb", buffering)


def read_whole(path: Path) -> bytes | None:
    """The content of a regular file; None when there is none.

    Raises:
        StateError: it cannot be read.
    """
    with guard(path, "read"):
        try:
            with open_to_read(path) as file:
                return file.read()
        except FileNotFoundError:
            return None


def make_folder(path: Path) -> None:
    """Make a folder, and what is missing above it, each with mode 0700 whatever the umask says, on disk.

    Raises:
        StateError: it cannot be made.
    """
    missing = []
    with guard(path, "use the folder"):
        while not path.is_dir():
            missing.append(path)
            path = path.parent
    for folder in reversed(missing):
        with guard(folder, "make the folder"):
            with suppress(FileExistsError):  # another process made it meanwhile; were it a file, chmod would not help
                folder.mkdir(mode=FOLDER_MODE)
                folder.chmod(FOLDER_MODE)
            sync_folder(folder.parent)


def sync_folder(path: Path) -> None:
    """Bring the names in a folder to disk.

    Raises:
        OSError: it failed.
    """
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_file(path: Path) -> None:
    """Bring to disk what is in a file by now, also of another process.

    Raises:
        StateError: it failed.
    """
    with guard(path, "bring to disk"), open_to_read(path) as file:
        os.fsync(file.fileno())


def write_all(handle: int, data: bytes) -> None:
    """Write every byte, however few the system takes at a time. Interrupted calls are repeated by Python (PEP 475).

    Raises:
        OSError: some bytes could not be written.
    """
    rest = memoryview(data)
    while rest:
        written = os.write(handle, rest)
        if written == 0:
            raise OSError(errno.EIO, "the system took no byte")
        rest = rest[written:]


def write_file(path: Path, chunks: Iterable[bytes]) -> None:
    """Write a new private file and bring it to disk; the caller syncs the folder.

    Raises:
        StateError: it could not be written.
    """
    with guard(path, "write"):
        _fill(open_private(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), chunks)


def write_new(path: Path, chunks: Iterable[bytes]) -> None:
    """Write a file that is not there yet, for a person, and bring it to disk.

    Raises:
        StateError: it is there, or could not be written.
    """
    with guard(path, "write"):
        _fill(open_plain(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), chunks)


def _fill(handle: int, chunks: Iterable[bytes]) -> None:
    """Write an open file, bring it to disk, and close it."""
    try:
        for chunk in chunks:
            write_all(handle, chunk)
        os.fsync(handle)
    finally:
        os.close(handle)


def put_file(path: Path, chunks: Iterable[bytes], *, mode: int = FILE_MODE) -> None:
    """Write a file where a person wants it: a link is followed, and what is no file, as /dev/stdout, is written into.

    Raises:
        StateError: it could not be written.
    """
    with guard(path, "write"):
        replaceable, place = not path.exists() or path.is_file(), path.resolve()
    if replaceable:
        replace_file(place, chunks, mode=mode)
        return
    with guard(path, "write"):
        handle = open_to_hand_over(path, 0)
        try:
            for chunk in chunks:
                write_all(handle, chunk)
        finally:
            os.close(handle)


def replace_file(path: Path, chunks: Iterable[bytes], *, mode: int = FILE_MODE) -> None:
    """Put a file in place of `path` atomically: readers see the old content or the new, also after a crash.

    The chunks are written as they come, so that a file larger than memory works. On any failure `path` is as it was,
    and nothing else is left behind.

    Raises:
        StateError: it could not be written.
    """
    from tempfile import mkstemp  # noqa: PLC0415  # brings chance and compression along

    with guard(path, "write"):
        handle, name = mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent)
        try:
            try:
                os.fchmod(handle, mode)
                for chunk in chunks:
                    write_all(handle, chunk)
                os.fsync(handle)
            finally:
                os.close(handle)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
