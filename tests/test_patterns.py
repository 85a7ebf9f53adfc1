"""No pattern of the package takes more than linear time, whatever text it is given: steps are counted, not seconds."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.backtracking import MOST_STEPS, Matcher, TooManySteps, repeated, samples

import orchestrator
from orchestrator.pattern import LaterPattern, pattern

#: Longer than any bounded repeat that a search makes from each place anew.
_TIMES = 40

#: More steps than a linear pattern can take beyond the same again; a quadratic one takes at least 1,600.
_SLACK = 400

#: Fewer steps than a quadratic pattern takes for three times the length: at least 7,200.
_LINEAR = 2000

_SCANS = frozenset({"search", "sub", "subn", "findall", "finditer", "split"})


def modules() -> Iterator[Any]:
    for info in pkgutil.walk_packages(orchestrator.__path__, "orchestrator."):
        if not info.name.endswith("__main__"):
            yield importlib.import_module(info.name)


def tree(module: Any) -> ast.Module:
    return ast.parse(Path(module.__file__).read_text(encoding="utf-8"))


def uses(module: Any) -> dict[str, set[str]]:
    """The methods that a module calls, by the name of what they are called on."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.setdefault(node.value.id, set()).add(node.attr)
    return found


def compiled(value: Any) -> re.Pattern[Any]:
    return re.compile(value.pattern, value.flags) if isinstance(value, LaterPattern) else value


PATTERNS = [
    pytest.param(compiled(value), module, name, id=f"{module.__name__}.{name}")
    for module in modules()
    for name, value in vars(module).items()
    if isinstance(value, re.Pattern | LaterPattern)
]


def hostile(pattern: re.Pattern[Any]) -> Iterator[tuple[str, str, str]]:
    """Beginnings of what a pattern is made for, then a piece of it again and again, then an end that does not fit."""
    items = Matcher(pattern, "").items
    for pieces in samples(items):
        begins = ["".join(pieces[:length]) for length in range(len(pieces) + 1)]
        yield from ((begin, pump, "\0") for begin in begins for pump in repeated(items) | {" "})
        yield from (("", begin, "\0") for begin in begins)


def bend(pattern: re.Pattern[Any], *, scans: bool) -> int:
    """By how much more the steps grow from twice to three times the length than from once to twice."""

    def steps(before: str, pump: str, after: str, times: int) -> int:
        matcher = Matcher(pattern, before + pump * times + after)
        return matcher.scan() if scans else matcher.whole()

    def growth(text: tuple[str, str, str]) -> int:
        if (thrice := steps(*text, 3 * _TIMES)) < _LINEAR:
            return 0
        once, twice = (steps(*text, times * _TIMES) for times in (1, 2))
        return (thrice - twice) - (twice - once)

    try:
        return max(map(growth, dict.fromkeys(hostile(pattern))))
    except TooManySteps:
        return MOST_STEPS


def test_there_are_many_and_none_is_hidden_in_a_call() -> None:
    assert len(PATTERNS) > 20
    inline = {
        module.__name__ for module in modules() if uses(module).get("re", set()) & (_SCANS | {"match", "fullmatch"})
    }
    assert not inline, "a pattern in a call is not found here: give it a name"


def test_one_is_compiled_when_the_first_text_is_held_against_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made, compile_ = list[str](), re.compile

    def noted(text: str, flags: int = 0) -> re.Pattern[str]:
        made.append(text)
        return compile_(text, flags)

    monkeypatch.setattr(re, "compile", noted)
    digits = pattern(r"(\d+)x", re.IGNORECASE)
    assert (digits.pattern, made) == (r"(\d+)x", [])
    assert [bool(digits.fullmatch(text)) for text in ("12X", "x", "3x")] == [True, False, True]
    assert (digits.groups, digits.sub(r"\1", "12x 3x"), len(made)) == (1, "12 3", 2)


@pytest.mark.parametrize(("pattern", "module", "name"), PATTERNS)
def test_the_effort_grows_with_the_length_alone(pattern: re.Pattern[Any], module: Any, name: str) -> None:
    scans = not uses(module).get(name, set()).isdisjoint(_SCANS)
    assert bend(pattern, scans=scans) < _SLACK


@pytest.mark.parametrize(
    "source",
    [
        r"<[^>]*>",
        r"(?s)<(script|style)\b.*?</\1\s*>",
        r"\btime\s*:\s*(\d{1,6})?\s*(second|minute)",
        r"(a+)+b",
        r"\s*x",
        r'"(?:[^"\\]|\\.)*"',
    ],
)
def test_the_count_finds_patterns_that_take_the_square(source: str) -> None:
    assert bend(re.compile(source), scans=True) > _SLACK
