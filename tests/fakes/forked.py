"""Starts processes by way of `fakes.fork_server`, which spares each of them the import of the program.

What such a process gets from its parent is what `subprocess.Popen` gives it; `test_forked.py` compares both.
"""

import atexit
import json
import os
import select
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO, Any

_ROOT = Path(__file__).parent.parent.parent
_SERVER = Path(__file__).with_name("fork_server.py")
#: An interpreter and the loader look at these when they start, and only then.
_OF_A_START = ("PYTHON", "LC_", "LANG", "LD_")
#: What the server gives to a process; whatever else a test asks for needs a start of its own.
_OPTIONS = frozenset({"stdin", "stdout", "stderr", "start_new_session"})
#: Set to `exec`, every process is an interpreter of its own.
_HOW = "PROCESS_STARTS"


def can_fork(environ: Mapping[str, str], options: Mapping[str, Any]) -> bool:
    """Whether the server can start a process with this environment and these options of `Popen`."""
    same = _of_a_start(environ) == _of_a_start(_server_environ())
    streams = [options.get(name) for name in ("stdin", "stdout", "stderr")]
    return same and options.keys() <= _OPTIONS and None not in streams and os.environ.get(_HOW) != "exec"


class Forked:
    """A forked process, with what tests use of a `subprocess.Popen` in text mode.

    Attributes:
        pid: its number.
        returncode: as `Popen` has it; None while nobody has seen it end.
        stdout: what it writes there, where a pipe was asked for.
        stderr: as stdout.

    Args:
        words: the module that it runs, and its arguments.
        options: of `Popen`, as `can_fork` allows them.
    """

    def __init__(
        self, words: Sequence[str], *, environ: Mapping[str, str], folder: Path, options: Mapping[str, Any]
    ) -> None:
        self.returncode: int | None = None
        stdin = os.dup(_handle(options["stdin"]))
        stdout, self.stdout = _writing(options["stdout"])
        stderr, self.stderr = _writing(options["stderr"])
        self._status, status = os.pipe()
        self._read: dict[int, bytearray] = {}
        order = {
            "module": words[0],
            "words": words[1:],
            "environ": dict(environ),
            "folder": str(folder),
            "new_session": options.get("start_new_session", False),
        }
        self.pid = _server().fork(order, [stdin, stdout, stderr, status])

    def poll(self) -> int | None:
        """The exit code, or None of a process under way."""
        return self._look(0.0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end.

        Raises:
            subprocess.TimeoutExpired: it lasts.
        """
        if (code := self._look(timeout)) is None:
            raise subprocess.TimeoutExpired("forked", timeout or 0.0)
        return code

    def communicate(self, timeout: float | None = None) -> tuple[str | None, str | None]:
        """Read all that it writes, and wait for the end; what was read before a time-out is kept.

        Raises:
            subprocess.TimeoutExpired: it lasts.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        with selectors.DefaultSelector() as reading:
            for stream in (self.stdout, self.stderr):
                if stream is not None and not stream.closed:
                    reading.register(stream, selectors.EVENT_READ)
            while reading.get_map():
                if not (ready := reading.select(_left(deadline))):
                    raise subprocess.TimeoutExpired("forked", timeout or 0.0)
                for key, _ in ready:
                    self._take(key, reading)
        self.wait(_left(deadline))
        return self._text(self.stdout), self._text(self.stderr)

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it has ended by now
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def _look(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._status], [], [], timeout)[0]:
            told = os.read(self._status, 16)
            os.close(self._status)
            assert told, "the fork server has ended"
            self.returncode = int(told)
        return self.returncode

    def _take(self, key: selectors.SelectorKey, reading: selectors.BaseSelector) -> None:
        read = os.read(key.fd, 1 << 16)
        self._read.setdefault(id(key.fileobj), bytearray()).extend(read)
        if not read:
            reading.unregister(key.fileobj)
            key.fileobj.close()  # type: ignore[union-attr]  # a stream

    def _text(self, stream: IO[str] | None) -> str | None:
        if stream is None:
            return None
        return self._read.pop(id(stream), b"").decode().replace("\r\n", "\n").replace("\r", "\n")


class _Server:
    """The other end of a fork server that goes on as long as this process."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            words = [sys.executable, str(_SERVER), str(theirs.fileno())]
            self._process = subprocess.Popen(
                words,
                env=_server_environ(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self._lock = threading.Lock()
        atexit.register(self._end)

    def fork(self, order: Mapping[str, Any], handles: Sequence[int]) -> int:
        """Start a process that gets these files, which are closed here; return its number."""
        text = json.dumps(order).encode() + b"\n"
        with self._lock:
            sent = socket.send_fds(self._control, [text], handles)
            self._control.sendall(text[sent:])
            told = self._control.recv(16)
        for handle in handles:
            os.close(handle)
        assert told, "the fork server has ended"
        return int(told)

    def _end(self) -> None:
        self._control.close()
        self._process.wait()


@cache
def _server() -> _Server:
    return _Server()


def _server_environ() -> dict[str, str]:
    keep = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
    return {**keep, "PYTHONPATH": str(_ROOT)}


def _of_a_start(environ: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in environ.items() if key.startswith(_OF_A_START)}


def _handle(stream: Any) -> int:
    """The number of a file that a process is given."""
    if stream == subprocess.DEVNULL:
        return _null()
    return stream if isinstance(stream, int) else int(stream.fileno())


@cache
def _null() -> int:
    return os.open(os.devnull, os.O_RDWR)


def _writing(stream: Any) -> tuple[int, IO[str] | None]:
    """Where a process writes, and where that is read if it is a pipe."""
    if stream != subprocess.PIPE:
        return os.dup(_handle(stream)), None
    reading, writing = os.pipe()
    return writing, open(reading, encoding="utf-8")  # noqa: PTH123  # a pipe, closed by its reader


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())
