"""docs/protections.md: every row names files that are there and tests that exist."""

import ast
from functools import cache

import pytest
from fakes.documents import ROOT, read, rows, spans
from mutants.table import mutants

ROWS = list(rows(read("docs/protections.md")))


@cache
def _tests_of(path: str) -> frozenset[str]:
    tree = ast.parse(read(path))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_there_are_many_and_no_two_say_the_same_of_the_same_place() -> None:
    assert len(ROWS) > 150
    assert len({(row[0], row[1], row[2]) for row in ROWS}) == len(ROWS)


def test_every_row_is_tried_by_taking_it_out() -> None:
    tried: dict[str, set[str]] = {}
    for mutant in mutants():
        tried.setdefault(mutant.protection, set()).add(mutant.file)
    assert tried == {row[0]: set(spans(row[1])) for row in ROWS}


def test_the_code_still_says_what_is_taken_out() -> None:
    assert [mutant.name for mutant in mutants() if not mutant.applies(ROOT)] == []


@pytest.mark.parametrize("row", ROWS, ids=[f"{number}: {row[0][:40]}" for number, row in enumerate(ROWS)])
def test_a_protection_stands_somewhere_and_has_a_test(row: list[str]) -> None:
    protection, where, tests = row
    assert protection
    files, named = spans(where), spans(tests)
    assert files
    assert named
    for file in files:
        assert (ROOT / "orchestrator" / file).is_file(), f"{file} is not there any more: where does this stand now?"
    for test in named:
        path, _, name = test.partition("::")
        assert name.startswith("test_")
        assert name in _tests_of(path), f"{test} is not there any more: which test fails now without this?"
