"""The program on virtual time: real sockets on loopback, real files, and a clock that jumps to the next timer.

Client and server share one event loop in one thread, so that nothing is under way when no socket is ready: then time
passes at once. An hour of waiting costs nothing, and a trial always ends.
"""

import asyncio
import errno
import io
import os
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from selectors import DefaultSelector, SelectorKey
from types import SimpleNamespace
from typing import Any, TypeVar
from unittest.mock import patch

import anyio
from anyio import to_thread

from orchestrator.cli.main import main

T = TypeVar("T")

#: The instant at which a trial begins, by the cloud's clock.
ZERO = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)

#: Monotonic seconds at that instant: of a machine that has been up for a while.
_UP_S = 5000.0

#: How long to wait, in real time, for a byte that the kernel may still be carrying.
_CARRY_S = 0.0002


#: What a loop does that ends: so many rounds, and so many seconds of the processor.
_MOST_ROUNDS = 300_000
_MOST_CPU_S = 20.0

#: Where the program cuts off a list: sooner than it does, for each page costs a while of the processor.
LISTS: dict[str, Any] = {"MOST_PAGES": 40, "MOST_ROWS": 100_000}

#: What a round of the loop takes. Without it a wait that is shorter than the clock can show would never be over.
_ROUND_S = 1e-9

#: How far time jumps when nothing is to come.
_NO_TIMER_S = 1e6


class Overdue(BaseException):
    """The session has not ended by its deadline; nothing of the program may swallow this."""


@dataclass
class Times:
    """The one clock of a trial, and how wrong this machine's wall clock is.

    Attributes:
        passed_s: since the beginning, as the cloud and every honest clock have it.
        off_s: wall clock minus the cloud's.
        drift: so many seconds more pass on the wall clock per second.
        deadline_s: when the present session must have ended.
    """

    passed_s: float = 0.0
    off_s: float = 0.0
    drift: float = 0.0
    deadline_s: float = float("inf")

    def cloud(self) -> datetime:
        """What the cloud's clock shows."""
        return ZERO + timedelta(seconds=self.passed_s)

    def wall(self, zone: Any = None) -> datetime:
        """What this machine's clock shows."""
        shown = self.cloud() + timedelta(seconds=self.off_s + self.drift * self.passed_s)
        return shown.astimezone(zone) if zone is not None else shown.replace(tzinfo=None)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return _UP_S + self.passed_s


def at_monotonic(seconds: float) -> datetime:
    """The right instant at which monotonic time shows this."""
    return ZERO + timedelta(seconds=seconds - _UP_S)


class _Selector(DefaultSelector):
    """Lets virtual time pass where the real one would be waited for."""

    def __init__(self, times: Times) -> None:
        super().__init__()
        self._times = times
        self._rounds = 0
        self._gave_up = False
        self._ends_cpu_s = time.process_time() + _MOST_CPU_S

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        """What is ready now; nothing, and a later hour, when nothing is."""
        self._expect_an_end()
        self._times.passed_s += _ROUND_S
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:  # every task waits, and no timer would wake one
            timeout = _NO_TIMER_S
        time.sleep(_CARRY_S)
        ready = super().select(0)
        if not ready:
            self._pass(timeout)
        return ready

    def _pass(self, timeout: float) -> None:
        self._times.passed_s += timeout
        if self._times.passed_s > self._times.deadline_s:
            self._give_up()

    def _expect_an_end(self) -> None:
        """Many rounds, and hours on a processor, are no progress either."""
        self._rounds += 1
        if self._rounds > _MOST_ROUNDS or time.process_time() > self._ends_cpu_s:
            self._give_up()

    def _give_up(self) -> None:
        """Once: the loop still has to be closed."""
        if not self._gave_up:
            self._gave_up = True
            raise Overdue


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, times: Times) -> None:
        super().__init__(_Selector(times))
        self._times = times
        self._clock_resolution = 1e-6

    def time(self) -> float:
        return self._times.monotonic()

    async def getaddrinfo(self, host: Any, *words: Any, **options: Any) -> Any:
        """Numbers only: no trial asks a name server."""
        return await super().getaddrinfo(host, *words, **{**options, "flags": socket.AI_NUMERICHOST})

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """To this machine only."""
        if address[0] not in ("127.0.0.1", "::1"):
            raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
        await super().sock_connect(sock, address)


#: Run when a session's loop is new, on it: listens, and does what is due later.
OnLoop = Callable[[asyncio.AbstractEventLoop], None]


@dataclass
class Ended:
    """How a session ended.

    Attributes:
        code: the exit code; None when it did not end by its deadline.
        crash: an exception that came out of the command line.
        output: all bytes that it wrote to stdout and stderr.
        cpu_s: processor time that it took.
        lost: what the event loop was told of exceptions that nobody awaits.
    """

    code: int | None = None
    crash: str | None = None
    output: bytes = b""
    cpu_s: float = 0.0
    lost: list[str] = field(default_factory=list)


def session(words: list[str], times: Times, environ: Mapping[str, str], on_loop: OnLoop, folder: Path) -> Ended:
    """One process of the program, in this one: a command line from its words to its exit code."""
    ended, began_s = Ended(), time.process_time()
    with _as_a_process(environ, folder) as output, _on_virtual_time(times, on_loop, ended.lost):
        try:
            ended.code = main(words)
        except Overdue:
            pass
        except SystemExit as left:
            ended.code = left.code if isinstance(left.code, int) else 1
        except BaseException as error:  # noqa: BLE001  # whatever comes out is what is looked for
            ended.crash = f"{type(error).__name__}: {error}"
    ended.output, ended.cpu_s = output.getvalue(), time.process_time() - began_s
    return ended


@contextmanager
def _as_a_process(environ: Mapping[str, str], folder: Path) -> Iterator[io.BytesIO]:
    """Streams, environment, working directory and signals as a new process has them."""
    output, before = io.BytesIO(), Path.cwd()
    text = io.TextIOWrapper(output, "utf-8", errors="backslashreplace", write_through=True)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    os.chdir(folder)
    try:
        for number in handlers:
            signal.signal(number, lambda *_: None)
        streams = patch.multiple(sys, stdout=text, stderr=text)
        with patch.dict(os.environ, environ, clear=True), streams:
            yield output
    finally:
        os.chdir(before)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        text.detach()


@contextmanager
def _on_virtual_time(times: Times, on_loop: OnLoop, lost: list[str]) -> Iterator[None]:
    """The clocks, the event loop and the worker threads of the program, in our hands."""
    run = anyio.run

    def loop_factory() -> asyncio.AbstractEventLoop:
        loop = _Loop(times)
        loop.set_exception_handler(lambda _loop, context: lost.append(_told(context)))
        on_loop(loop)
        return loop

    def run_here(story: Callable[..., Awaitable[T]], *words: object, **_options: object) -> T:
        return run(story, *words, backend="asyncio", backend_options={"loop_factory": loop_factory})

    with ExitStack() as stack:
        for place, name, value in (
            (anyio, "run", run_here),
            (to_thread, "run_sync", _at_once),
        ):
            stack.enter_context(patch.object(place, name, value))
        stack.enter_context(patch("orchestrator.clock.time", SimpleNamespace(monotonic=times.monotonic)))
        stack.enter_context(patch("orchestrator.clock.datetime", _dates(times)))
        stack.enter_context(patch("aiohttp.connector.monotonic", times.monotonic))
        stack.enter_context(patch("orchestrator.app.run.run_plan.spare_the_collector", lambda: None))
        stack.enter_context(patch("orchestrator.app.session.listening._INBOX_EVERY_S", 30.0))
        stack.enter_context(
            patch("orchestrator.app.process.watchdog._STEP_S", 600.0)
        )  # each beat costs a round of the loop
        stack.enter_context(patch.multiple("orchestrator.executor.scope.jobs.job_list_paging", **LISTS))
        stack.enter_context(patch("os.fsync", lambda _handle: None))
        yield


async def _at_once(work: Callable[..., T], *words: object, **_options: object) -> T:
    """What a worker thread would do, here: on virtual time it takes no time."""
    await anyio.lowlevel.checkpoint()
    return work(*words)


def _dates(times: Times) -> type[datetime]:
    class Dates(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return times.wall(tz)

    return Dates


def _told(context: Mapping[str, Any]) -> str:
    return f"{context.get('message')}: {context.get('exception')!r}"
