"""Standard output and error that outlive their readers: who listens never changes what a run does, or its exit code.

Only the process itself puts them in place; a caller of the command line as a function keeps its own streams.
"""

from __future__ import annotations

import errno
import io
import os
import sys

from orchestrator.errors import ExitCode

TYPE_CHECKING = False  # as `typing` has it, whose import would take longer than the rest
if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

#: The reader of the pipe, or the terminal, is gone: nothing is lost that anybody wanted.
_GONE = frozenset({errno.EPIPE, errno.EIO})

_STDOUT, _STDERR = 1, 2


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
            if error.errno not in _GONE:
                self.lost = error
            os.dup2(os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC), self.fileno())
            return memoryview(data).nbytes


def patient_streams() -> PatientFile:
    """Put patient streams in place of stdout and stderr, and return the file behind stdout.

    One that the caller has closed becomes the null device: else the next file to be opened, which may be the journal,
    would take its number.
    """
    while (handle := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        pass
    os.close(handle)
    stdout, stderr = PatientFile(_STDOUT, "w", closefd=False), PatientFile(_STDERR, "w", closefd=False)
    sys.stdout, sys.stderr = _text(stdout, line_buffering=stdout.isatty()), _text(stderr, line_buffering=True)
    return stdout


def lost_output() -> str | None:
    """Why something that was printed on standard output is lost, as far as the system has said so by now."""
    sys.stdout.flush()
    file = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return file.lost.strerror if isinstance(file, PatientFile) and file.lost is not None else None


def last_word(code: int, stdout: PatientFile, *, only_prints: bool) -> int:
    """Flush stdout, say so when output was lost, as on a full disk, and return the exit code.

    Args:
        code: what became of the fleet; it stands, whatever becomes of the words about it.
        stdout: from `patient_streams`.
        only_prints: the verb does nothing else, so that it has not done it when output was lost.
    """
    sys.stdout.flush()
    if stdout.lost is None:
        return code
    print(f"orchestrator: cannot write to standard output: {stdout.lost.strerror}", file=sys.stderr)
    return int(ExitCode.STATE_UNUSABLE) if only_prints and code == ExitCode.DONE else code


def _text(file: PatientFile, *, line_buffering: bool) -> io.TextIOWrapper:
    # Whatever a cron job's locale cannot say is escaped: no character of a label may end a run.
    return io.TextIOWrapper(io.BufferedWriter(file), errors="backslashreplace", line_buffering=line_buffering)
