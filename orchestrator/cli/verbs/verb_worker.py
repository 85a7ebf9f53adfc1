"""`orchestrator worker`: this host stands by for every fleet of a database, and goes on where another one is gone."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent import futures
from concurrent.futures import Future
from functools import partial
from threading import Event, Thread

from orchestrator.app.process.signals import stop_signals
from orchestrator.app.worker.attend import Attendance
from orchestrator.cli.options import Options
from orchestrator.cli.terminal import tell
from orchestrator.clock import SystemClock
from orchestrator.errors import ExitCode
from orchestrator.host import HOST_VARIABLE
from orchestrator.tracker.open_state import named_database

#: How soon a stop is seen while the database is looked into.
_STOPS_WITHIN_S = 0.2
#: Options that a helper gets as they were given.
_PASSED: Mapping[str, str] = {
    "state": "--state",
    "log_level": "--log-level",
    "log_format": "--log-format",
    "log_file": "--log-file",
}


def run(options: Options) -> ExitCode:
    """Stand by for all fleets, each in a process of its own; with `--fleet`, for that one, in this process."""
    if options.name is not None:
        os.environ[HOST_VARIABLE] = options.name
    state = named_database(None if options.state is None else str(options.state), os.environ)
    clock = SystemClock()
    if options.fleet is not None:
        if options.fleet not in state.under_way(clock.now()):
            return ExitCode.DONE
        from orchestrator.cli.verbs.left_session import left_session  # noqa: PLC0415  # brings HTTP and log along

        return left_session(options, options.fleet)
    stopped = _stop_on_signals()
    say = _silent if options.quiet else tell
    look = partial(found_before, stopped, lambda: state.under_way(clock.now()))
    attendance = Attendance(look, partial(_helper, options), clock.monotonic, say)
    attendance.attend(partial(_waited, stopped), once=options.once)
    return ExitCode.DONE


def found_before(stopped: Event, look: Callable[[], list[str]]) -> list[str] | None:
    """What a look finds; None when a stop comes before: a database that is away lets nobody wait for that.

    Raises:
        StateError: as of `look`.
    """
    found: Future[list[str]] = Future()
    Thread(target=_look_into, args=(look, found), daemon=True).start()
    while not stopped.is_set():
        if futures.wait((found,), timeout=_STOPS_WITHIN_S).done:
            return found.result()
    return None


def _look_into(look: Callable[[], list[str]], found: "Future[list[str]]") -> None:
    try:
        found.set_result(look())
    except BaseException as error:  # noqa: BLE001  # who waits for it gets it
        found.set_exception(error)


def _silent(_sentence: str) -> None:
    """With `--quiet` the exit code says it."""


def _stop_on_signals() -> Event:
    stopped = Event()
    for number in stop_signals():
        signal.signal(number, lambda *_: stopped.set())
    return stopped


def _waited(stopped: Event, seconds: float) -> bool:
    """Whether a stop came; one that has come keeps nobody from waiting for the helpers."""
    if stopped.is_set():
        Event().wait(seconds)
        return True
    return stopped.wait(seconds)


def _helper(options: Options, fleet: str) -> "subprocess.Popen[bytes]":
    """This very program once more, for one fleet. In a group of its own: Ctrl-C comes here, and from here to it."""
    given = ((option, getattr(options, name)) for name, option in _PASSED.items())
    words = [word for option, value in given if value is not None for word in (option, str(value))]
    words += ["--quiet"] if options.quiet else []
    before = sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv) + 1]
    command = [sys.executable, *before, "worker", "--fleet", fleet, *words]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0)  # noqa: S603  # our own words
