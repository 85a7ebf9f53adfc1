"""Every workflow_id in the journals of a state folder, so that nobody's upgrade is taken for ours."""

from array import array
from bisect import bisect
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import islice
from pathlib import Path
from typing import TypeVar

from orchestrator.tracker.disk import guard
from orchestrator.tracker.folder.paths import JOURNAL, fleets, list_runs
from orchestrator.tracker.journal.line import Line, read_lines
from orchestrator.tracker.journal.peek import NAMES_A_WORKFLOW, target_of, workflows_in
from orchestrator.tracker.workflow_store import Teller

T = TypeVar("T")


class Workflows:
    """Every workflow_id in the journals of every run and fleet of a state folder; other processes go on writing there.

    Args:
        state: the state folder.
    """

    def __init__(self, state: Path) -> None:
        self._state = state
        self._places: dict[str, int] = {}
        self._ends: dict[Path, tuple[int, int]] = {}
        # Where each is first named, by its place: a million of them take 16 MB.
        self._lines = array("Q"), array("Q")
        self._runs: list[tuple[int, Path]] = []

    def known(self) -> AbstractSet[str]:
        """All of them as of now. Asking again reads only what was written since, and copies nothing.

        Raises:
            StateError: a journal cannot be read.
        """
        for folder in fleets(self._state):
            for run in list_runs(folder):
                self._learn(run)
        return KnownThen(self._places)

    def teller(self, workflow: str) -> Teller | None:
        """Where one of them was named first; None where nothing of that is left.

        Raises:
            StateError: the journal cannot be read.
        """
        place = self._places.get(workflow)
        if place is None:
            return None
        run = self._runs[bisect(self._runs, place, key=lambda begun: begun[0]) - 1][1]
        path, (starts, numbers) = run / JOURNAL, self._lines
        if not path.exists():
            return None
        line = next(read_lines(path, start=starts[place], after=numbers[place] - 1))
        return Teller(run.parent.parent.name, run.name, target_of(line), line.number)

    def _learn(self, run: Path) -> None:
        """Take in what was written to a run's journal since; what is read before something unreadable stays known."""
        places, (starts, numbers) = self._places, self._lines
        noted = bool(self._runs) and self._runs[-1][1] == run
        for line in self._new(run / JOURNAL):
            for workflow in workflows_in(line):
                if workflow not in places:
                    if not noted:
                        noted = True
                        self._runs.append((len(places), run))
                    starts.append(line.start)
                    numbers.append(line.number)
                    places[workflow] = len(places)

    def _new(self, path: Path) -> Iterator[Line]:
        start, number = self._ends.get(path, (0, 0))
        if start and not path.exists():  # an old run is being moved away; what it said is known
            return
        with guard(path, "read"):
            if path.stat().st_size == start:
                return
        try:
            for line in read_lines(path, start=start, after=number, mark=NAMES_A_WORKFLOW):
                start, number = line.end, line.number
                yield line
        finally:
            self._ends[path] = start, number


class KnownThen(AbstractSet[str]):
    """Those that were known at one instant. Every attempt asks, and a state may hold a million: none is copied.

    Args:
        places: each with its place in the order in which they became known; more may be added at any time.
    """

    def __init__(self, places: Mapping[str, int]) -> None:
        self._places = places
        self._count = len(places)

    def __contains__(self, workflow: object) -> bool:
        return isinstance(workflow, str) and self._places.get(workflow, self._count) < self._count

    def __iter__(self) -> Iterator[str]:
        return islice(iter(list(self._places)), self._count)  # at once: a dict that grows cannot be walked

    def __len__(self) -> int:
        return self._count

    @classmethod
    def _from_iterable(cls, it: Iterable[T]) -> frozenset[T]:
        """What comes of it and another set, see `collections.abc.Set`."""
        return frozenset(it)
