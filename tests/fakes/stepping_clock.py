"""A wall clock for processes of the command line that a test sets while they run; time itself goes on as ever."""

from collections.abc import Mapping
from pathlib import Path

#: Python runs a module of this name at its start. Each reading of the wall clock adds the seconds that the file holds.
_AT_START = """
from datetime import timedelta
from pathlib import Path

from orchestrator.clock import SystemClock

by, wall = Path({file!r}), SystemClock.wall
SystemClock.wall = lambda self: wall(self) + timedelta(seconds=float(by.read_text()))
"""


class SteppingClock:
    """The wall clock of every process that is started with `environ`.

    Args:
        folder: an empty one, for the files of the clock.
        python_path: where those processes find the program.
    """

    def __init__(self, folder: Path, python_path: Path) -> None:
        self._file = folder / "seconds"
        self.step(0)
        (folder / "sitecustomize.py").write_text(_AT_START.format(file=str(self._file)), encoding="utf-8")
        self.environ: Mapping[str, str] = {"PYTHONPATH": f"{folder}:{python_path}"}

    def step(self, seconds: float) -> None:
        """From now on the wall clock is this far from the right time."""
        new = self._file.with_suffix(".new")
        new.write_text(str(seconds), encoding="utf-8")
        new.replace(self._file)
