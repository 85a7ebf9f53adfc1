"""What is known of the terminal, and printing that is cut only there."""

from __future__ import annotations

import os
import sys

from orchestrator.plain import plain, plain_json

TYPE_CHECKING = False  # as `typing` has it, whose import would take longer than the rest
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

#: Rows of each long list that a person sees; everything when piped.
ROWS = 5

#: What a command begins with that a person may paste.
_COMMAND = "orchestrator "

#: So many columns further to the right the rest of a long line stands.
_DEEPER = 4


def rows() -> int | None:
    """Most rows of a list: a few on a terminal, all of them elsewhere."""
    return ROWS if sys.stdout.isatty() else None


def write(lines: Iterable[str]) -> None:
    """Print lines to stdout; a terminal that is too narrow for one gets it in several, broken between words."""
    width = _width(sys.stdout)
    for line in lines:
        sys.stdout.write(folded(plain(line), width) + "\n")


def _width(stream: TextIO) -> int:
    """Columns of the terminal on a stream; 0 when there is none, or when it does not say."""
    try:
        return os.get_terminal_size(stream.fileno()).columns if stream.isatty() else 0
    except OSError:
        return 0


def folded(line: str, width: int) -> str:
    """A line in as many as it takes, each but the first indented further; one with a command stays whole, to be pasted.

    Args:
        line: of plain text.
        width: of the terminal in columns; 0 when there is none, or when it does not say.
    """
    if columns(line) <= width or not width or _COMMAND in line:
        return line
    indent = " " * min(len(line) - len(line.lstrip()) + _DEEPER, width // 2)
    begun, *words = line.split(" ")
    lines = []
    for word in words:
        if begun.strip() and columns(begun) + 1 + columns(word) > width:
            lines.append(begun.rstrip())
            begun = indent + word
        else:
            begun += f" {word}"
    return "\n".join([*lines, begun])


def columns(text: str) -> int:
    """How many columns of a terminal a text takes: two for each letter that is as wide as it is high."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width  # noqa: PLC0415  # hardly ever needed

    return sum(0 if combining(char) else 1 + (east_asian_width(char) in "WF") for char in text)


def write_json(text: str) -> None:
    """Print JSON to stdout."""
    sys.stdout.write(plain_json(text) + "\n")


def can_redraw() -> bool:
    """Whether stdout is a terminal that knows how to go back to its first line."""
    return sys.stdout.isatty() and _goes_back()


def redraw(lines: Iterable[str]) -> None:
    """Print lines to stdout in place of all that the terminal shows."""
    sys.stdout.write("\x1b[H\x1b[J")
    write(lines)


def write_file(chunks: Iterable[bytes], form: str) -> None:
    """Print a document to stdout as it would be in a file; on a terminal, with what would move the cursor escaped.

    Args:
        chunks: its bytes, none of which ends within a character.
        form: `json` keeps its meaning when it is escaped.
    """
    escape = plain_json if form == "json" else _plain_lines
    sys.stdout.flush()
    for chunk in chunks:
        sys.stdout.buffer.write(escape(chunk.decode()).encode() if sys.stdout.isatty() else chunk)
    sys.stdout.buffer.flush()


def _plain_lines(text: str) -> str:
    return "\n".join(map(plain, text.split("\n")))


def tell(line: str) -> None:
    """Print a line to stderr."""
    sys.stderr.write(folded(plain(line), _width(sys.stderr)) + "\n")


def forget(_line: str) -> None:
    """What nobody wants to see, in place of `tell`."""


def live(*, no_progress: bool, quiet: bool) -> bool:
    """Whether a live display is wanted and possible; on a terminal that cannot go back, the log takes its place."""
    return sys.stderr.isatty() and _goes_back() and not no_progress and not quiet


def tells_people(log_format: str, log_level: str, log_file: object) -> bool:
    """Whether the log is read by a person who asked for nothing else than what goes on: on a terminal, or so said."""
    people = log_format == "lines" or (log_format == "auto" and sys.stderr.isatty())
    return people and log_level != "debug" and log_file is None


def _goes_back() -> bool:
    return os.environ.get("TERM") != "dumb"


class Search:
    """How far a discovery has come, on one line of the terminal; silent elsewhere."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown

    def __call__(self, known: int, found: int) -> None:
        """Show of how many instances the proxies are known, of all that were found so far."""
        if self._shown:
            end = "\n" if known == found > 0 else ""
            sys.stderr.write(f"\rinstances whose proxies are known: {known:,} of {found:,}{end}")
            sys.stderr.flush()


class Counter:
    """A count of things done, on one line of the terminal; silent elsewhere."""

    def __init__(self, what: str, *, shown: bool) -> None:
        self._what, self._shown = what, shown

    def __call__(self, done: int, total: int) -> None:
        """Show how many are done, and of how many."""
        if self._shown and (done % 10 == 0 or done == total):
            end = "\n" if done == total else ""
            sys.stderr.write(f"\r{self._what} {done:,} of {total:,}{end}")
            sys.stderr.flush()
