"""A verb in a process of its own. It gets the same signals, event loop and exit codes as one that cron starts."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from subprocess import DEVNULL, Popen, TimeoutExpired
from tempfile import TemporaryFile
from typing import IO

import msgspec

from orchestrator.errors import ExitCode, FleetLocked, OrchestratorError, PlanError, ScopeUnusable, StateError

#: How often the caller's `on_wait` is called.
_EVERY_S = 0.5

#: What an exit code is as an exception, when a verb could not do its work.
_ERRORS: dict[int, type[OrchestratorError]] = {
    ExitCode.USAGE: PlanError,
    ExitCode.LOCKED: FleetLocked,
    ExitCode.SCOPE_UNUSABLE: ScopeUnusable,
    ExitCode.STATE_UNUSABLE: StateError,
}


class SessionEnd(msgspec.Struct, frozen=True):
    """How a session of a run ended.

    Attributes:
        code: the exit code, with the meaning that docs/exit-codes.md gives it.
        summary: what it says to people: outcomes, what is behind, what to do next.
        trouble: what it says of errors; empty when there are none.
        run_id: of the fleet's latest run; None when it never had one.
        report: where the report of that run is.
    """

    code: ExitCode
    summary: str
    trouble: str
    run_id: str | None
    report: Path | None


class Worked(msgspec.Struct, frozen=True):
    """What a process left: its exit code, and both its outputs as text."""

    code: int
    out: str
    err: str

    @property
    def exit_code(self) -> ExitCode:
        """The exit code by its name; one that no verb has, such as that of a signal, is an internal error."""
        return ExitCode(self.code) if self.code in set(ExitCode) else ExitCode.INTERNAL

    def error(self) -> OrchestratorError:
        """What it says, as an exception."""
        return _ERRORS.get(self.code, OrchestratorError)(self.err.strip() or f"ended with exit code {self.code}")


def work(words: Sequence[str], environ: Mapping[str, str], on_wait: Callable[[], object] = lambda: None) -> Worked:
    """Run a command line to its end.

    However the caller leaves, the process is asked to stop, and ends in good order: what it has sent is on disk.

    Args:
        words: verb and options.
        environ: all of its environment.
        on_wait: called again and again as long as it works, and once after that.
    """
    with TemporaryFile() as out, TemporaryFile() as err:
        command = [sys.executable, "-m", "orchestrator", *words]
        # A group of its own, so that Ctrl-C reaches it once: by the caller. Twice would stop it at once.
        with Popen(  # noqa: S603  # the command is this program
            command, stdin=DEVNULL, stdout=out, stderr=err, env=dict(environ), process_group=0
        ) as process:
            try:
                _wait(process, on_wait)
            except BaseException:
                process.terminate()
                process.wait()
                raise
        on_wait()
        return Worked(process.returncode, _text(out), _text(err))


def _wait(process: "Popen[bytes]", on_wait: Callable[[], object]) -> None:
    while True:
        try:
            process.wait(_EVERY_S)
        except TimeoutExpired:
            on_wait()
        else:
            return


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="backslashreplace")
