"""The line of a file that a message is about, with a mark below the place: for people who read it on a terminal.

A pipe gets one line for each mistake, as editors and `grep` want it. What stands behind the place is left out, and all
of it where a secret may be: the message does not repeat one either.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from orchestrator.cli.terminal import columns
from orchestrator.pattern import pattern
from orchestrator.planner.plan_file.load import MAX_BYTES
from orchestrator.planner.reading.mapping import SECRET_KEYS

_PLACE = pattern(r"(?P<file>.+?):(?P<line>[1-9]\d{0,8}):(?P<column>[1-9]\d{0,8}): (?P<words>.*)")
_TOKEN = pattern(r"[^\s,:{}\[\]]+|.")
_SECRET = pattern(rf"\b({'|'.join(sorted(SECRET_KEYS))})['\"]?\s*:", re.IGNORECASE)
#: Keys whose texts no message repeats.
_QUIET = pattern(r"([\w.\[\]-]+\.)?(auth|notify)\b")
#: So much of a line is shown in front of the place.
_BEFORE = 48


def snippet(message: str) -> Iterator[str]:
    """The lines to print below a message such as `plan.yaml:9:3: auth.proxies: unknown key`; none without a place."""
    place = _PLACE.match(message)
    if place is None:
        return
    number, column = int(place["line"]), int(place["column"])
    line = _line(Path(place["file"]), number)
    if line is None or column > len(line):
        return
    if not _QUIET.match(place["words"]) or ("unknown key" in place["words"] and not line[: column - 1].strip()):
        yield from marked(line, number, column)


def marked(line: str, number: int, column: int) -> Iterator[str]:
    """A line with its number, up to the end of the word at a column, and below it a mark as wide as the word."""
    word = _TOKEN.match(line, column - 1)
    if word is None or _SECRET.search(line[: word.end() + 1]):
        return
    start = max(0, column - 1 - _BEFORE)
    before = ("…" if start else "") + line[start : column - 1].replace("\t", " ")
    margin = " " * len(str(number))
    more = " …" if line[word.end() :].strip(": ") else line[word.end() :].rstrip()
    yield f"  {number} | {before}{word[0]}{more}"
    yield f"  {margin} | {' ' * columns(before)}{'^' * columns(word[0])}"


def _line(path: Path, number: int) -> str | None:
    """A line of a file that is there to be read again; None when it is none, or has changed since."""
    try:
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            return None
        with path.open(encoding="utf-8", errors="replace") as file:
            return next((line.rstrip("\r\n") for count, line in enumerate(file, 1) if count == number), None)
    except OSError:
        return None
