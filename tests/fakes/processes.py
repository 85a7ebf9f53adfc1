"""Processes of the command line: one under way, and one that has ended."""

import json
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fakes.forked import Forked, can_fork

#: When a test gives up on a process that never ends. A net, not a claim: it holds with a tenth of a core as well.
PATIENCE_S = 240.0


@dataclass(frozen=True)
class Ended:
    """A process that has ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def logs(self) -> list[dict[str, Any]]:
        """The log lines of stderr."""
        return [json.loads(line) for line in self.stderr.splitlines() if line.startswith("{")]

    @property
    def messages(self) -> list[str]:
        """The lines of stderr that are no logs."""
        return [line for line in self.stderr.splitlines() if not line.startswith("{")]


class Running:
    """A process under way."""

    def __init__(self, process: "subprocess.Popen[str] | Forked") -> None:
        self.process = process

    def signal(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def pending(self, number: int) -> bool:
        """Whether the process has not yet taken a signal that was sent to it: a second one would be lost in it."""
        if self.process.poll() is not None:
            return False
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        masks = (int(line.split()[1], 16) for line in status.splitlines() if line.startswith(("SigPnd:", "ShdPnd:")))
        return any(mask >> (number - 1) & 1 for mask in masks)

    def end(self, timeout_s: float = PATIENCE_S) -> Ended:
        """Wait for its end; no end is an error of the test."""
        try:
            stdout, stderr = self.process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            stdout, stderr = self.process.communicate()
            raise AssertionError(f"still there after {timeout_s} s\n{stdout}\n{stderr}") from None
        return Ended(self.process.wait(), stdout or "", stderr or "")


def start(
    words: Sequence[str], *, environ: Mapping[str, str], folder: Path, wrapper: Sequence[str] = (), **options: Any
) -> Running:
    """Start `python -m WORDS` in a folder: forked where that makes no difference, else an interpreter of its own.

    Args:
        wrapper: the command that runs it.
        options: of `Popen`, which say where its standard streams are.
    """
    if not wrapper and can_fork(environ, options):
        return Running(Forked(words, environ=environ, folder=folder, options=options))
    command = [*wrapper, sys.executable, "-m", *words]
    return Running(subprocess.Popen(command, env=environ, cwd=folder, text=True, **options))
