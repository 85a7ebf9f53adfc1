"""Collects what is wrong with a file, so that a person sees every problem at once, each with its place."""

from collections.abc import Callable
from typing import Protocol, TypeAlias

#: Where in the document a value stands: the place above it and its key or index; None is the top.
At: TypeAlias = "tuple[At, str | int] | None"

#: So many problems are shown; the rest are counted.
SHOWN = 100
ECHO = 60


class Positioned(Protocol):
    """Something with a line and a column, from 1; line 0 means that it stands in no file."""

    line: int
    column: int


class Problems:
    """The problems of one file.

    Args:
        file: the file's name as the person wrote it.
        shown: how many problems are shown in words.
        homes: tells the places of the document where a key of a name may stand, dotted; None when nobody knows.
    """

    def __init__(self, file: str, *, shown: int = SHOWN, homes: Callable[[str], list[str]] | None = None) -> None:
        self.file = file
        self._homes = homes
        self._shown = shown
        self._found: list[tuple[int, int, str]] = []
        self._more = 0

    def __len__(self) -> int:
        return len(self._found) + self._more

    def homes(self, name: str) -> list[str]:
        """Every place of the document where a key of this name may stand; asked only about keys that are wrong."""
        return [] if self._homes is None else self._homes(name)

    def add(self, where: Positioned, at: At, message: str | Callable[[], str]) -> None:
        """Record that the value `at` this key, which stands at `where`, is wrong.

        A message that takes time to find comes as a function: it is not called for problems that are only counted.
        """
        if len(self._found) >= self._shown:
            self._more += 1
            return
        words = message if isinstance(message, str) else message()
        self.at_place(where.line, where.column, f"{dotted(at)}: {words}" if at else words)

    def at_place(self, line: int, column: int, message: str) -> None:
        """Record a problem of a line; column 0 when none is known."""
        if len(self._found) < self._shown:
            self._found.append((line, column, message))
        else:
            self._more += 1

    def ends_at(self, line: int, message: str) -> None:
        """Record the problem of a line for which the rest is not read: it is shown however many came before."""
        self._found.append((line, 0, message))

    def lines(self) -> list[str]:
        """One line for each problem, in the file's order, and one for those that are only counted."""
        lines = [f"{self._place(line, column)}: {message}" for line, column, message in sorted(self._found)]
        return [*lines, f"{self.file}: and {self._more:,} more problems"] if self._more else lines

    def _place(self, line: int, column: int) -> str:
        if line == 0:
            return "--set"
        return f"{self.file}:{line}:{column}" if column else f"{self.file}:{line}"


def dotted(at: At) -> str:
    """A place as a person writes it: `proxies[3].labels.app`."""
    parts: list[str] = []
    while at is not None:
        at, key = at
        parts.append(f"[{key}]" if isinstance(key, int) else f".{key}")
    return "".join(reversed(parts)).lstrip(".")


def quote(text: str) -> str:
    """A value in a message: quoted, on one line, cut when long."""
    shown = text if len(text) <= ECHO else text[: ECHO - 1] + "…"
    return '"' + "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in shown) + '"'
