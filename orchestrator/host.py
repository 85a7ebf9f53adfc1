"""Text and file names from the host: arguments, users, machines, paths. The one place where their bytes become text.

Python keeps a byte that is not UTF-8 as a lone surrogate (PEP 383). Such a text opens the right file, but no journal,
report or terminal takes it: so it is written out where it enters, and a path keeps its bytes in a form of its own.
"""

from __future__ import annotations

import errno
import os
import select
import stat

TYPE_CHECKING = False  # as `typing` has it, whose import would take longer than the rest
if TYPE_CHECKING:
    from pathlib import Path

#: What is no character, and how people read it: `\xe9` where it stands for a byte, `\ud800` else.
UNWRITABLE = {code: f"\\u{code:04x}" for code in range(0xD800, 0xE000)} | {
    0xDC00 + byte: f"\\x{byte:02x}" for byte in range(0x80, 0x100)
}

#: Of a write: the reader of the pipe, or the terminal, is gone. Nothing is lost that anybody wanted.
READER_GONE = frozenset({errno.EPIPE, errno.EIO})

#: Names this host, where its own name says nothing, as in a container.
HOST_VARIABLE = "ORCHESTRATOR_HOST"

_URI = "file://"

#: How long a pipe that has a name is waited for until the first byte is there.
PIPE_PATIENCE_S = 10.0


def readable(text: str) -> str:
    r"""The text with each byte that is not UTF-8 written out: `caf\xe9`."""
    return text if text.isascii() else text.translate(UNWRITABLE)


def path_text(path: str) -> str:
    """An absolute path as text that a record takes: as it is, or as a `file:` URI when its bytes are not UTF-8."""
    name = os.fsencode(path)
    try:
        return name.decode()
    except UnicodeDecodeError:
        from urllib.parse import quote_from_bytes  # noqa: PLC0415  # hardly ever needed

        return _URI + quote_from_bytes(name)


def path_of(text: str) -> Path:
    """The path that `path_text` made this text of; a path that is not absolute is taken as it is."""
    from pathlib import Path  # noqa: PLC0415  # not needed for `--help`

    if not text.startswith(_URI):
        return Path(text)
    from urllib.parse import unquote_to_bytes  # noqa: PLC0415  # hardly ever needed

    return Path(os.fsdecode(unquote_to_bytes(text.removeprefix(_URI))))


def open_plain(path: Path, flags: int, mode: int = 0o600) -> int:
    """Open a regular file that is ours, by this very name: no link is followed, and no pipe or device is waited for.

    Raises:
        OSError: it cannot be opened, or is something else.
    """
    try:
        handle = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, mode)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "a link stands in its place, which is not followed") from error
        if error.errno == errno.ENXIO:  # a pipe that nobody reads
            raise OSError(errno.EINVAL, "not a regular file") from error
        raise
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "not a regular file")
    return handle


def open_to_hand_over(path: Path, flags: int, mode: int = 0o666) -> int:
    """Open for writing what a person has named, also a link or a device. The reader of a pipe is not waited for.

    Raises:
        OSError: it cannot be opened.
    """
    try:
        handle = os.open(path, flags | os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC, mode)
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise OSError(errno.ENXIO, "a pipe that nobody reads") from error
        raise
    os.set_blocking(handle, True)
    return handle


def open_to_read(path: str | Path, flags: int = os.O_RDONLY) -> int:
    """Open for reading what a person has named: a file, a link, a device, or a pipe into which something is written.

    A pipe with a name may have no writer, and would be waited for without end; `/dev/stdin`, or what a shell makes of
    `<(…)`, has one from the start. Has the signature of an `opener` of `open`.

    Raises:
        OSError: it cannot be opened, or nothing was written into the pipe for `PIPE_PATIENCE_S` seconds.
    """
    handle = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)
    if stat.S_ISFIFO(os.fstat(handle).st_mode) and not _of_process(os.path.abspath(path)):  # noqa: PTH100  # no `pathlib`
        waiting = select.poll()
        waiting.register(handle, select.POLLIN)
        if not waiting.poll(PIPE_PATIENCE_S * 1000):
            os.close(handle)
            raise OSError(errno.ENXIO, "a pipe into which nobody writes")
    os.set_blocking(handle, True)
    return handle


def is_lasting(path: Path) -> bool:
    """Whether a path leads to the same file the next time: `/dev/stdin`, or what a shell makes of `<(…)`, does not."""
    return not _of_process(str(path.absolute())) and not path.is_fifo()


def _of_process(path: str) -> bool:
    """Whether an absolute path leads to what only this process has open."""
    return path.startswith(("/dev/", "/proc/"))


def user_name() -> str:
    """Who works here, as text."""
    import getpass  # noqa: PLC0415  # only for verbs that ask

    try:
        return readable(getpass.getuser())
    except (KeyError, OSError):
        return str(os.getuid())


def machine_name() -> str:
    """The name of this machine, as text: its own, unless `ORCHESTRATOR_HOST` gives it another one."""
    return readable(os.environ.get(HOST_VARIABLE) or os.uname().nodename)
