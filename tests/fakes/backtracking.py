"""A matcher that goes the ways of `re` and counts its steps: how the effort grows is seen without a clock.

It follows the pattern as `re` parses it, and backtracks as naively. `re` may take fewer steps, never a higher power.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from re import _constants as c  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any, TypeAlias

Ends: TypeAlias = Iterator[int]
Items: TypeAlias = Any

_CATEGORIES: dict[Any, Callable[[str], bool]] = {
    c.CATEGORY_DIGIT: str.isdigit,
    c.CATEGORY_NOT_DIGIT: lambda char: not char.isdigit(),
    c.CATEGORY_SPACE: str.isspace,
    c.CATEGORY_NOT_SPACE: lambda char: not char.isspace(),
    c.CATEGORY_WORD: lambda char: char.isalnum() or char == "_",
    c.CATEGORY_NOT_WORD: lambda char: not (char.isalnum() or char == "_"),
}
_REPEATS = (c.MAX_REPEAT, c.MIN_REPEAT, c.POSSESSIVE_REPEAT)
_SINGLE = (c.LITERAL, c.NOT_LITERAL, c.ANY, c.IN)


#: More than any linear pattern takes for texts of a few hundred characters.
MOST_STEPS = 50_000


class TooManySteps(Exception):
    """The effort grows so fast that nobody waits for its end."""


class Matcher:
    """One pattern on one text."""

    def __init__(self, pattern: re.Pattern[Any], text: str) -> None:
        self.items = _parsed(pattern)
        self.fold = bool(pattern.flags & re.IGNORECASE)
        self.text = text.lower() if self.fold else text
        self.steps = 0
        self._groups: dict[int, str] = {}

    def scan(self) -> int:
        """Steps of a search for every match, one behind the other, as `sub` and `findall` make it."""
        at = 0
        while at <= len(self.text):
            end = next(self._run(self.items, 0, at), None)
            at = at + 1 if end is None else max(end, at + 1)
        return self.steps

    def whole(self) -> int:
        """Steps of one match that has to begin with the text and end with it."""
        next((end for end in self._run(self.items, 0, 0) if end == len(self.text)), None)
        return self.steps

    def _run(self, items: Items, index: int, at: int) -> Ends:
        if index == len(items):
            yield at
            return
        op, value = items[index]
        for end in self._item(op, value, at):
            yield from self._run(items, index + 1, end)

    def _item(self, op: Any, value: Any, at: int) -> Ends:
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise TooManySteps
        if op in _SINGLE:
            if at < len(self.text) and self._fits(op, value, self.text[at]):
                yield at + 1
        elif op in _REPEATS:
            least, most, inner = value
            yield from self._repeat(op, least, most, inner, at)
        elif op is c.BRANCH:
            for way in value[1]:
                yield from self._run(way, 0, at)
        elif op is c.SUBPATTERN:
            for end in self._run(value[3], 0, at):
                self._groups[value[0]] = self.text[at:end]
                yield end
        elif op is c.GROUPREF:
            told = self._groups.get(value)
            if told is not None and self.text.startswith(told, at):
                self.steps += len(told)
                yield at + len(told)
        elif op in (c.ASSERT, c.ASSERT_NOT):
            if (next(self._run(value[1], 0, at), None) is not None) is (op is c.ASSERT):
                yield at
        elif op is c.AT:
            if self._stands(value, at):
                yield at
        else:
            raise NotImplementedError(op)

    def _repeat(self, op: Any, least: int, most: Any, items: Items, at: int) -> Ends:
        ends = self._times(items, least, most, at, lazy=op is c.MIN_REPEAT)
        if op is c.POSSESSIVE_REPEAT:
            first = next(ends, None)
            ends = iter(()) if first is None else iter((first,))
        yield from ends

    def _times(self, items: Items, least: int, most: Any, at: int, *, lazy: bool) -> Ends:
        """The ends after so many times, greedy or lazy; each time but an empty one may be followed by another."""
        stack: list[tuple[int, int, Ends]] = [(0, at, self._run(items, 0, at))]
        if lazy and least == 0:
            yield at
        while stack:
            count, begin, ways = stack[-1]
            end = next(ways, None) if count < (most if most is not c.MAXREPEAT else len(self.text) + 1) else None
            if end is not None and end > begin:
                if lazy and count + 1 >= least:
                    yield end
                stack.append((count + 1, end, self._run(items, 0, end)))
            elif end is None:
                stack.pop()
                if not lazy and count >= least:
                    self.steps += 1
                    yield begin

    def _fits(self, op: Any, value: Any, char: str) -> bool:
        if op is c.ANY:
            return True
        if op is c.LITERAL:
            return self._same(value, char)
        if op is c.NOT_LITERAL:
            return not self._same(value, char)
        negated = value[0][0] is c.NEGATE
        return any(self._holds(each, char) for each in value if each[0] is not c.NEGATE) is not negated

    def _holds(self, member: Any, char: str) -> bool:
        op, value = member
        if op is c.LITERAL:
            return self._same(value, char)
        if op is c.RANGE:
            return value[0] <= ord(char) <= value[1] or (self.fold and value[0] <= ord(char.upper()) <= value[1])
        return _CATEGORIES[value](char)

    def _same(self, code: int, char: str) -> bool:
        return chr(code) == char or (self.fold and chr(code).lower() == char)

    def _stands(self, where: Any, at: int) -> bool:
        if where in (c.AT_BEGINNING, c.AT_BEGINNING_STRING):
            return at == 0
        if where in (c.AT_END, c.AT_END_STRING):
            return at == len(self.text)
        word = _CATEGORIES[c.CATEGORY_WORD]
        before, after = at > 0 and word(self.text[at - 1]), at < len(self.text) and word(self.text[at])
        return (before != after) is (where is c.AT_BOUNDARY)


@cache
def _parsed(pattern: re.Pattern[Any]) -> Items:
    source = pattern.pattern
    return _parser.parse(source if isinstance(source, str) else source.decode("latin-1"), pattern.flags & ~re.UNICODE)


def repeated(items: Items) -> set[str]:
    """A character for everything that a pattern may take again and again."""
    found: set[str] = set()
    for op, value in items:
        inner = value[2] if op in _REPEATS else value[3] if op is c.SUBPATTERN else []
        ways = value[1] if op is c.BRANCH else [inner]
        found.update(*(repeated(way) for way in ways))
        if op in _REPEATS:
            found.update("".join(sample) for sample in samples(inner))
    return found


def samples(items: Items) -> list[list[str]]:
    """Texts that a pattern is made for, in pieces: each of its ways once, each repeat once."""
    found: list[list[str]] = [[]]
    for op, value in items:
        found = [before + more for before in found for more in _pieces(op, value)][:12]
    return found


def _pieces(op: Any, value: Any) -> list[list[str]]:
    if op in _SINGLE:
        return [[_character(op, value)]]
    if op in _REPEATS:
        return samples(value[2])
    if op is c.BRANCH:
        return [sample for way in value[1] for sample in samples(way)]
    return samples(value[3]) if op is c.SUBPATTERN else [[]]


def _character(op: Any, value: Any) -> str:
    if op is c.LITERAL:
        return chr(value)
    if op is c.IN and value[0][0] is not c.NEGATE:
        kind, what = value[0]
        return {c.LITERAL: lambda: chr(what), c.RANGE: lambda: chr(what[0])}.get(kind, lambda: _OF[what])()
    return "~"


_OF = {c.CATEGORY_DIGIT: "1", c.CATEGORY_SPACE: " ", c.CATEGORY_WORD: "w", c.CATEGORY_NOT_SPACE: "s"}
