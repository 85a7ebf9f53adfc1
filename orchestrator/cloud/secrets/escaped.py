"""Text that is written in escapes, as it reads without them, and where in it what stands.

What is quoted may be escaped on its way, in part or whole: for a URL, JSON, HTML, a log.
"""

import re
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate

from orchestrator.pattern import pattern

#: Escapes by what they begin with. Bytes beyond ASCII that follow each other are one or more characters together.
_ESCAPES = {
    "%": pattern(r"(%[0-7][0-9A-Fa-f]|(?:%[89A-Fa-f][0-9A-Fa-f])+)"),
    "\\": pattern(
        r"(\\x[0-7][0-9A-Fa-f]|(?:\\x[89A-Fa-f][0-9A-Fa-f])+"
        r"|\\u[Dd][89ABab][0-9A-Fa-f]{2}\\u[Dd][C-Fc-f][0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\[^ux])"
    ),
    "&": pattern(r"(&(?:#[0-9]{1,7}|#[Xx][0-9A-Fa-f]{1,6}|amp|lt|gt|quot|apos);)"),
}
_ANY_ESCAPE = pattern(rf"({'|'.join(each.pattern[1:-1] for each in _ESCAPES.values())})")

#: What a letter after a backslash stands for; any other character stands for itself.
_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}

_NAMES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'"}


def readings(written: str) -> Iterator["Unescaped"]:
    """The text without one level of escapes: of all kinds that it has, and of each alone, for `%41` may mean itself."""
    kinds = [pattern for mark, pattern in _ESCAPES.items() if mark in written]
    if len(kinds) > 1:
        yield Unescaped(written, _ANY_ESCAPE)
    yield from (Unescaped(written, kind) for kind in kinds)


class Unescaped:
    """A text without its escapes of some kinds: one level of them.

    Attributes:
        text: as it reads.
    """

    __slots__ = ("_read", "_written", "text")

    def __init__(self, written: str, escapes: re.Pattern[str] = _ANY_ESCAPE) -> None:
        parts = escapes.split(written)  # escapes at the odd places
        # Where each escape begins (again at odd places) and ends, as written and as read; and both ends of the text.
        self._written = [0, *accumulate(map(len, parts))]
        parts[1::2] = map(_plain, parts[1::2])
        self._read = [0, *accumulate(map(len, parts))]
        self.text = "".join(parts)

    def written(self, start: int, end: int) -> tuple[int, int]:
        """Where a part of `text` is written. An escape that it holds a piece of is taken whole."""
        first, last = bisect_right(self._read, start) - 1, bisect_left(self._read, end)
        after = 0 if first % 2 else start - self._read[first]
        before = self._read[last] - end if last % 2 else 0
        return self._written[first] + after, self._written[last] - before


@lru_cache(1 << 12)
def _plain(escape: str) -> str:
    match escape[:2]:
        case "\\u":
            units = [int(each, 16) for each in escape.split("\\u")[1:]]
            return "".join(map(chr, units)).encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
        case "\\x":
            return _of_bytes(bytes.fromhex(escape.replace("\\x", "")))
        case other if other[0] == "%":
            return _of_bytes(bytes.fromhex(escape.replace("%", "")))
        case other if other[0] == "\\":
            return _LETTERS.get(escape[1], escape[1])
        case "&#":
            return _of_number(escape[2:-1].lower())
        case _:
            return _NAMES[escape]


def _of_number(digits: str) -> str:
    number = int(digits[1:], 16) if digits[0] == "x" else int(digits)
    return chr(number) if number <= sys.maxunicode else ""


def _of_bytes(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
