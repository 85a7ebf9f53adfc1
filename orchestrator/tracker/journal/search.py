"""Lines of a file that hold certain bytes, found without looking at the others: these are only counted."""

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from msgspec import structs

from orchestrator.tracker.disk import guard, open_to_read
from orchestrator.tracker.journal.line import Line, expect_written

_BLOCK = 1 << 20


class _Searched(NamedTuple):
    """A block of whole lines: where it begins, how long it is, and how many lines are before it."""

    start: int
    size: int
    before: int


class LineSearch:
    """A file that is searched again for what was found in it.

    The first search counts all lines; no later one counts again, or sees what was added meanwhile.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._blocks: list[_Searched] = []

    def lines(self, marks: Collection[bytes]) -> list[Line]:
        """The lines in which any of these bytes stand, in order; in the first search the last line of the file too.

        A line that is missing among the others is noticed then, and a byte that was changed in them is not.

        Raises:
            JournalDamaged: a line that is found is not what was written, or its number is not its place in the file.
            StateError: the file cannot be read.
        """
        with guard(self._path, "read"), open_to_read(self._path) as file:
            return list(self._again(file, marks) if self._blocks else self._first(file, marks))

    def _first(self, file: BinaryIO, marks: Collection[bytes]) -> Iterator[Line]:
        number = start = 0
        block = _whole_lines(file)
        while block:
            behind = _whole_lines(file)
            self._blocks.append(_Searched(start, len(block), number))
            yield from self._found(block, marks, last=not behind)
            number += block.count(b"\n")
            start += len(block)
            block = behind

    def _again(self, file: BinaryIO, marks: Collection[bytes]) -> Iterator[Line]:
        for place in self._blocks:
            file.seek(place.start)
            yield from self._found(file.read(place.size), marks, place=place)

    def _found(
        self, block: bytes, marks: Collection[bytes], *, last: bool = False, place: _Searched | None = None
    ) -> Iterator[Line]:
        start, _, number = place or self._blocks[-1]
        seen = 0
        for at, end in _lines_with(block, marks, last=last):
            number += block.count(b"\n", seen, end)
            seen = end
            line = Line(number, start + at, block[at:end])
            expect_written(self._path, *structs.astuple(line))
            yield line


def find_lines(path: Path, marks: Collection[bytes]) -> list[Line]:
    """The same of a file that is searched once."""
    return LineSearch(path).lines(marks)


def _whole_lines(file: BinaryIO) -> bytes:
    """The next block of a file, up to the end of a line; empty at its end."""
    block = file.read(_BLOCK) + file.readline()
    return block[: block.rfind(b"\n") + 1]


def _lines_with(block: bytes, marks: Iterable[bytes], *, last: bool) -> list[tuple[int, int]]:
    """Where the lines lie that hold a mark, in order; `last`: the last one too."""
    places = {block.rfind(b"\n", 0, -1) + 1} if last else set[int]()
    for mark in marks:
        at = block.find(mark)
        while at >= 0:
            places.add(block.rfind(b"\n", 0, at) + 1)
            at = block.find(mark, block.find(b"\n", at))
    return [(place, block.find(b"\n", place) + 1) for place in sorted(places)]
