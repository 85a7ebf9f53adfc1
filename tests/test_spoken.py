"""Lengths of time and numbers of things, as every line for people says them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import orchestrator
from orchestrator.spoken import counted, spoken

SOURCES = [path for path in Path(orchestrator.__file__).parent.rglob("*.py") if "simulator" not in path.parts]
THINGS = r" (targets|proxies|attempts|upgrades|jobs|calls|sessions|scopes|waves|failures|instances|nights)\b"


@pytest.mark.parametrize(
    ("seconds", "says"),
    [
        (0, "0 s"),
        (0.4, "less than 1 s"),
        (59, "59 s"),
        (90, "2 min"),
        (3569, "59 min"),
        (3570, "1 h 00 min"),
        (7500, "2 h 05 min"),
        (200_000, "2 d 7 h"),
        (359 * 3600.0, "15 d"),
        (553_123 * 3600.0, "23,047 d"),
    ],
)
def test_a_length_of_time_changes_its_unit_where_people_do(seconds: float, says: str) -> None:
    assert spoken(seconds) == says


def test_one_thing_is_no_plural() -> None:
    told = [counted(number, "proxy", "proxies") for number in (0, 1, 2_000)]
    assert told == ["0 proxies", "1 proxy", "2,000 proxies"]
    assert counted(1, "target") == "1 target"


def test_no_message_puts_a_plural_behind_a_number_by_itself() -> None:
    assert {path.name: found for path in SOURCES if (found := list(bare_plurals(path.read_text("utf-8"))))} == {}


def bare_plurals(source: str) -> Iterator[str]:
    """Of every f-string, the plurals that follow a value at once: with 1 they are wrong."""
    for text in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.JoinedStr)):
        for value, after in zip(text.values, text.values[1:], strict=False):
            if isinstance(value, ast.FormattedValue) and isinstance(after, ast.Constant):
                yield from re.findall(rf"^{THINGS}", str(after.value))
