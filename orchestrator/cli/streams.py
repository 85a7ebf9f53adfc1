"""Standard output and error that outlive their readers: who listens never changes what a run does, or its exit code.

Standard error does not wait for its reader either, for the log and the live display go there: a full pipe, or a
terminal that was stopped with Ctrl-S, would hold up the event loop.

Only the process itself puts them in place; a caller of the command line as a function keeps its own streams.
"""

from __future__ import annotations

import io
import os
import select
import stat
import sys

TYPE_CHECKING = False  # as `typing` has it, whose import would take longer than the rest
if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_STDOUT, _STDERR = 1, 2

#: What is kept for a reader who has stopped reading, in bytes; the rest is left out. The journal holds all of it.
_MOST_KEPT = 1 << 20

#: At the end of the process, a reader who takes nothing for so long gets nothing more.
_PATIENCE_MS = 5000

#: Most bytes of one write: what a pipe takes.
_AT_ONCE = 1 << 16


class PatientFile(io.FileIO):
    """An open file that goes silent when it cannot be written any more.

    Attributes:
        lost: why something is missing that a reader may have wanted.
    """

    lost: OSError | None = None

    def write(self, data: ReadableBuffer, /) -> int:
        """Write, or go silent."""
        try:
            return super().write(data)
        except OSError as error:
            from orchestrator.host import READER_GONE  # noqa: PLC0415  # hardly ever needed

            if error.errno not in READER_GONE:
                self.lost = error
            os.dup2(os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC), self.fileno())
            return memoryview(data).nbytes


class UnwaitingFile(PatientFile):
    """A patient file that keeps what its reader does not take yet, and never waits for him before the end."""

    def __init__(self, handle: int) -> None:
        super().__init__(handle, "w", closefd=False)
        self._kept = bytearray()
        self._left_out = 0

    def write(self, data: ReadableBuffer, /) -> int:
        """Write as much as the reader takes, and keep the rest."""
        data = bytes(data)
        if len(self._kept) + len(data) > _MOST_KEPT:
            self._left_out += 1
        else:
            self._kept += data
        self._pass_on()
        return len(data)

    def drain(self) -> None:
        """At the end: wait for the reader as long as he takes anything, and say how much he has missed."""
        self._wait()
        if self._left_out and not self._kept:
            self.write(f"orchestrator: warning: nobody read here, {self._left_out} lines were left out\n".encode())
            self._wait()

    def _wait(self) -> None:
        poll = select.poll()
        poll.register(self.fileno(), select.POLLOUT)
        while self._kept and poll.poll(_PATIENCE_MS):
            self._pass_on()

    def _pass_on(self) -> None:
        while self._kept and (
            taken := super().write(bytes(self._kept[:_AT_ONCE]))
        ):  # None: the reader takes nothing now
            del self._kept[:taken]


def patient_streams() -> PatientFile:
    """Put patient streams in place of stdout and stderr, and return the file behind stdout.

    One that the caller has closed becomes the null device: else the next file to be opened, which may be the journal,
    would take its number.
    """
    while (handle := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        pass
    os.close(handle)
    stdout, stderr = PatientFile(_STDOUT, "w", closefd=False), UnwaitingFile(_unwaiting(_STDERR))
    sys.stdout, sys.stderr = _text(stdout, line_buffering=stdout.isatty()), _text(stderr, line_buffering=True)
    return stdout


def is_read(handle: int) -> bool:
    """Whether anybody may still read what is written there: false of a pipe whose reader has gone."""
    if not stat.S_ISFIFO(os.fstat(handle).st_mode):
        return True
    poll = select.poll()
    poll.register(handle, 0)
    return not poll.poll(0)


def lost_output() -> dict[str, str]:
    """Of standard output and error, why something that was written there is lost, as far as the system has said so."""
    lost = {}
    for name, stream in (("standard output", sys.stdout), ("standard error", sys.stderr)):
        stream.flush()
        file = getattr(getattr(stream, "buffer", None), "raw", None)
        if isinstance(file, PatientFile) and file.lost is not None:
            lost[name] = file.lost.strerror or str(file.lost)
    return lost


def last_word(code: int, stdout: PatientFile, *, only_prints: bool) -> int:
    """Flush both, say so when output was lost, as on a full disk, and return the exit code.

    Args:
        code: what became of the fleet; it stands, whatever becomes of the words about it.
        stdout: from `patient_streams`.
        only_prints: the verb does nothing else, so that it has not done it when output was lost.
    """
    sys.stdout.flush()
    if stdout.lost is not None:
        print(f"orchestrator: cannot write to standard output: {stdout.lost.strerror}", file=sys.stderr)
    sys.stderr.flush()
    stderr = getattr(getattr(sys.stderr, "buffer", None), "raw", None)
    if isinstance(stderr, UnwaitingFile):
        stderr.drain()
    if code or stdout.lost is None or not only_prints:
        return code
    from orchestrator.errors import ExitCode  # noqa: PLC0415  # hardly ever needed

    return int(ExitCode.STATE_UNUSABLE)


def _unwaiting(handle: int) -> int:
    """The same pipe or terminal, opened once more so as not to block; others who have it open do not notice.

    The handle itself, where that is not possible: a file never waits for a reader.
    """
    if not (stat.S_ISFIFO(os.fstat(handle).st_mode) or os.isatty(handle)):
        return handle
    try:
        return os.open(f"/proc/self/fd/{handle}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:  # nobody has the other end, or the terminal belongs to another user
        return handle


def _text(file: PatientFile, *, line_buffering: bool) -> io.TextIOWrapper:
    # Whatever a cron job's locale cannot say is escaped: no character of a label may end a run.
    return io.TextIOWrapper(io.BufferedWriter(file), errors="backslashreplace", line_buffering=line_buffering)
