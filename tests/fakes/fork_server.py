"""Forks processes from one that has imported the program: real ones, without the start of an interpreter in each.

A program of its own, started by `fakes.forked` with the number of a socket. Each message asks for one process: a line
of JSON, and with it four files: the three standard streams, and the one that takes the exit status. The answer is
the number of the process.
"""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

#: Imported late by the libraries that the program uses; where one is missing, the program does without it too.
_LATE = (
    *("uvloop", "anyio._backends._asyncio", "anyio._core._signals", "prometheus_client.openmetrics.exposition"),
    *("concurrent.futures.thread", "encodings.idna", "getpass", "importlib.readers"),
)


@dataclass(frozen=True)
class Order:
    """What a new process is to be, as `python -m MODULE WORDS` in that folder."""

    module: str
    words: list[str]
    environ: dict[str, str]
    folder: str
    new_session: bool
    streams: list[int]


class Server:
    """Takes the orders, and tells the end of each process."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._ends: dict[int, int] = {}
        self._awake, self._wake = os.pipe()
        os.set_blocking(self._awake, False)  # as `os` has it
        os.set_blocking(self._wake, False)  # as `os` has it

    def serve(self) -> Order | None:
        """Serve until the other end has gone. In a new process: what it is to be."""
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        while True:
            ready, _, _ = select.select([self._control.fileno(), self._awake], [], [])
            if self._awake in ready:
                os.read(self._awake, 4096)
                self._tell_ends()
            if self._control.fileno() in ready:
                text, files = _message(self._control)
                if not text:
                    return None
                if pid := os.fork():
                    self._began(pid, files)
                else:
                    self._forget(files)
                    return Order(**json.loads(text), streams=files[:3])

    def _began(self, pid: int, files: list[int]) -> None:
        *streams, self._ends[pid] = files
        for handle in streams:
            os.close(handle)
        self._control.sendall(f"{pid}\n".encode())

    def _tell_ends(self) -> None:
        for pid, handle in list(self._ends.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                os.write(handle, f"{os.waitstatus_to_exitcode(status)}\n".encode())
                os.close(self._ends.pop(pid))

    def _forget(self, files: list[int]) -> None:
        """Nothing of the server is left in a new process."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._control.close()
        for handle in (self._awake, self._wake, files[3], *self._ends.values()):
            os.close(handle)


def _message(control: socket.socket) -> tuple[bytes, list[int]]:
    text, files, _, _ = socket.recv_fds(control, 1 << 16, 4)
    while text and not text.endswith(b"\n"):
        text += control.recv(1 << 16)
    return text, files


def _become(order: Order) -> None:
    """Take over what an interpreter takes from its parent when it starts."""
    if order.new_session:
        os.setsid()
    for number, handle in enumerate(order.streams):
        os.dup2(handle, number)
        os.close(handle)
    os.chdir(order.folder)
    os.environ.clear()
    os.environ.update(order.environ)
    time.tzset()
    sys.argv[1:] = order.words
    sys.path[0] = order.folder
    sys.stdin, sys.stdout, sys.stderr = _text(0, "r", sys.stdin), _text(1, "w", sys.stdout), _text(2, "w", sys.stderr)
    sys.stderr.reconfigure(line_buffering=True)
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr  # type: ignore[misc]


def _text(number: int, mode: str, like: Any) -> Any:
    return open(number, mode, encoding=like.encoding, errors=like.errors, closefd=False)  # a stream


def _be(module: str) -> int:
    """Run the module to its end; its exit code."""
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            raise
        return end.code or 0
    return 0


def _end(code: int) -> None:
    """End as an interpreter does, but do not take apart what was imported: that takes longer than most commands."""
    threading._shutdown()  # type: ignore[attr-defined]  # as the interpreter does
    atexit._run_exitfuncs()
    gc.collect()
    with suppress(OSError, ValueError):
        for stream in (sys.stdout, sys.stderr):
            if stream is not None and not stream.closed:
                stream.flush()
        os._exit(code)
    sys.exit(code)  # the interpreter says what cannot be written


def _import_program() -> None:
    import orchestrator  # noqa: PLC0415  # not from the folder of this file

    for module in pkgutil.walk_packages(orchestrator.__path__, "orchestrator."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in _LATE:
        with suppress(ImportError):
            importlib.import_module(name)


def main() -> None:
    """Serve; in each new process, be the module that was ordered, to the end of the interpreter."""
    control = socket.socket(fileno=int(sys.argv[1]))
    del sys.path[0]
    _import_program()
    gc.collect()
    gc.freeze()
    sys.path.insert(0, "")
    if (order := Server(control).serve()) is not None:
        _become(order)
        _end(_be(order.module))


if __name__ == "__main__":
    main()
