"""Every workflow_id in the journals of a state folder, so that nobody's upgrade is taken for ours."""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import islice
from pathlib import Path
from typing import TypeVar

from orchestrator.tracker.disk import guard
from orchestrator.tracker.folder.paths import JOURNAL, fleets, list_runs
from orchestrator.tracker.journal.line import read_lines
from orchestrator.tracker.journal.peek import workflows_in

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

    def known(self) -> AbstractSet[str]:
        """All of them as of now. Asking again reads only what was written since, and copies nothing.

        Raises:
            StateError: a journal cannot be read.
        """
        for folder in fleets(self._state):
            for run in list_runs(folder):
                for workflow in self._new(run):
                    self._places.setdefault(workflow, len(self._places))
        return KnownThen(self._places)

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
