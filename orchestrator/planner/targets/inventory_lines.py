"""The lines of an inventory file, bounded: what is read may be a pipe or a device without an end."""

from collections.abc import Callable, Iterator
from typing import AnyStr

from orchestrator.planner.reading.problems import Problems

#: A million targets, and as much again.
MOST_LINES = 2_000_000
#: 2 KiB for each of them; in a CSV file, characters.
MOST_SIZE = 4 * 1024**3
#: The longest line.
LONGEST = 1024 * 1024


def bounded_lines(readline: Callable[[int], AnyStr], problems: Problems) -> Iterator[AnyStr]:
    """Every line of a file, up to the first that is beyond a bound, which is a problem of the file.

    Args:
        readline: reads the next line, or so much of it; nothing at the end of the file.
        problems: of the file.
    """
    number = size = 0
    while line := readline(LONGEST):
        number += 1
        size += len(line)
        if number > MOST_LINES or size > MOST_SIZE or (len(line) == LONGEST and not _ends(line)):
            problems.ends_at(number, f"{_beyond(number, size)}; what follows is not read")
            return
        yield line


def _ends(line: AnyStr) -> bool:
    return line[-1:] in (b"\n", "\n", "\r")


def _beyond(number: int, size: int) -> str:
    if number > MOST_LINES:
        return f"more than {MOST_LINES:,} lines, of which an inventory may have no more"
    if size > MOST_SIZE:
        return f"more than {MOST_SIZE // 1024**3} GiB, of which an inventory may have no more"
    return "is longer than 1 MiB"
