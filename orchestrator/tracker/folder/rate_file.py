"""A rate that processes share, in a file of the state folder: `STATE/.rate-<digest>`, with nothing secret in it.

The kernel's lock on the file is held for some microseconds, never while anybody waits, and is free when its holder
dies. Nothing is brought to disk: a machine that starts again has no call of the last second to remember. What cannot be
used, because it is torn, damaged or of another version, is for the reader to notice; it is written over.
"""

import errno
import fcntl
import os
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from zlib import crc32

from orchestrator.host import open_plain
from orchestrator.tracker.disk import open_private

#: Before the content: what it is and in which version, its length, its checksum.
_HEAD = struct.Struct("<4sII")
_KIND = b"OSR1"
_MOST_BYTES = 1 << 20
#: Content that no reader takes for good.
_DAMAGED = b"\0"
#: Whoever keeps the lock for so long has been stopped: the others take another file. It is asked for at least so often.
_STOPPED_S, _OFTEN_S = 2.0, 0.5


class RateFile:
    """The file, as this process uses it. Where it cannot be used, this process keeps the rate for itself.

    Args:
        path: of the file.
        creates: whether it is made when it is not there; a reader of the state folder leaves nothing of its own.
        monotonic: seconds that never go back.
        warn: called once, with a sentence, when the file cannot be used.
    """

    def __init__(
        self, path: Path, *, creates: bool, monotonic: Callable[[], float], warn: Callable[[str], None]
    ) -> None:
        self._path, self._monotonic, self._warn = path, monotonic, warn
        self._flags = os.O_RDWR | (os.O_CREAT if creates else 0)
        self._handle = -1
        self._size = 0
        self._own = b""
        self._written = self._content = b""  # what this process put into the file last: its bytes, what they hold
        self._apart = False  # this process did for a while what the file does not know
        self._warned = False
        self._busy_since: float | None = None
        self._busy_at = 0.0

    def exchange(self, act: Callable[[bytes], bytes]) -> bool:
        """Put there what `act` makes of what is there; False: another process has it just now."""
        made: bytes | None = None
        try:
            if not self._locked():
                return False
            try:
                self._come_back()
                made = act(self._read())
                self._write(made)
            finally:
                fcntl.flock(self._handle, fcntl.LOCK_UN)
        except OSError as error:
            self._apart = True
            self._tell(error)
        self._own = act(self._own) if made is None else made
        return True

    def due(self, now_s: float, rate: float | None) -> float:  # noqa: ARG002  # the port's: one host has the folder
        """Now: what other processes do is in the file."""
        return 0.0

    def took(self, *, waited: bool) -> None:
        """Nothing follows."""

    def close(self) -> None:
        """Nothing comes any more. The file stays, for the next process."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _come_back(self) -> None:
        """After a time apart neither this process nor the file knows all."""
        if self._apart:
            self._write(_DAMAGED)
            self._apart = False

    def _locked(self) -> bool:
        while True:
            if self._handle < 0:
                self._handle = self._open(self._path, self._flags)
            try:
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._busy()
                return False
            self._busy_since = None
            status = os.fstat(self._handle)
            if status.st_nlink:
                self._size = status.st_size
                return True
            self.close()  # another file has taken its place

    def _open(self, path: Path, flags: int) -> int:
        return open_private(path, flags) if flags & os.O_CREAT else open_plain(path, flags)

    def _busy(self) -> None:
        """Give the file up when its lock has been held for too long, and was asked for all the time."""
        now_s = self._monotonic()
        if self._busy_since is None or now_s > self._busy_at + _OFTEN_S:
            self._busy_since = now_s
        self._busy_at = now_s
        if now_s > self._busy_since + _STOPPED_S:
            self._replace()

    def _replace(self) -> None:
        import secrets  # noqa: PLC0415  # hardly ever needed

        self.close()
        self._busy_since = None
        path = self._path.with_name(f"{self._path.name}.{secrets.token_hex(4)}.new")
        try:
            self._handle = self._open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
            self._write(_DAMAGED)
            path.replace(self._path)
        except OSError:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            raise

    def _read(self) -> bytes:
        found = os.pread(self._handle, min(self._size, _MOST_BYTES), 0)
        if not found:
            return b""
        if self._written and found.startswith(self._written):  # nobody else came: no 8 kB to check for each call
            return self._content
        if len(found) < _HEAD.size:
            return _DAMAGED
        kind, length, checksum = _HEAD.unpack_from(found)
        content = found[_HEAD.size : _HEAD.size + length]
        return content if kind == _KIND and _checksum(content) == checksum else _DAMAGED

    def _write(self, content: bytes) -> None:
        data = _HEAD.pack(_KIND, len(content), _checksum(content)) + content
        if os.pwrite(self._handle, data, 0) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._written, self._content, self._size = data, content, max(self._size, len(data))

    def _tell(self, error: OSError) -> None:
        missing = isinstance(error, FileNotFoundError)  # no process has made it, so there is nobody to share with
        if not missing and not self._warned:
            self._warned = True
            self._warn(f"{self._path}: cannot be used, so this process keeps the rate for itself: {error.strerror}")


def _checksum(content: bytes) -> int:
    return crc32(content, 1)  # from 1 on, so that nothing but zeros is no empty content
