"""Every workflow_id in the journals of a state folder, so that nobody's upgrade is taken for ours."""

from collections.abc import Iterator
from pathlib import Path

from orchestrator.tracker.disk import guard
from orchestrator.tracker.folder.paths import JOURNAL, fleets, list_runs
from orchestrator.tracker.journal.line import read_lines
from orchestrator.tracker.journal.peek import workflows_in


class Workflows:
    """Every workflow_id in the journals of every run and fleet of a state folder; other processes go on writing there.

    Args:
        state: the state folder.
    """

    def __init__(self, state: Path) -> None:
        self._state = state
        self._known: frozenset[str] = frozenset()
        self._ends: dict[Path, tuple[int, int]] = {}

    def known(self) -> frozenset[str]:
        """All of them as of now. Asking again reads only what was written since.

        Raises:
            StateError: a journal cannot be read.
        """
        new = {workflow for folder in fleets(self._state) for run in list_runs(folder) for workflow in self._new(run)}
        if not new <= self._known:
            self._known |= new
        return self._known

    def _new(self, run: Path) -> Iterator[str]:
        path = run / JOURNAL
        start, number = self._ends.get(path, (0, 0))
        if start and not path.exists():  # an old run is being moved away; what it said is known
            return
        with guard(path, "read"):
            if path.stat().st_size == start:
                return
        for line in read_lines(path, start=start, after=number):
            self._ends[path] = line.end, line.number
            yield from workflows_in(line)
