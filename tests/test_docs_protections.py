"""docs/protections.md is what its table says, and the table names files that are there and tests that exist."""

import ast
import re
from collections import Counter
from collections.abc import Iterable
from functools import cache

import pytest
from fakes.documents import ROOT, read
from mutants.page import PAGE, page
from mutants.table import Protection, mutants, sections

PROTECTIONS = [protection for section in sections() for protection in section.protections]

_TEST = re.compile(r"^ *(?:async )?def (test_\w+)\(", re.MULTILINE)


@cache
def _tests_of(path: str) -> frozenset[str]:
    return frozenset(_TEST.findall(read(path)))


def test_the_page_is_written_from_the_table() -> None:
    assert read(PAGE) == page(), "`make protections` writes it"


def test_there_are_many_and_no_two_say_the_same() -> None:
    assert len(PROTECTIONS) > 250
    assert _more_than_once(protection.says for protection in PROTECTIONS) == []
    assert _more_than_once(mutant.name for mutant in mutants()) == []


def _more_than_once(names: Iterable[str]) -> list[str]:
    return [name for name, times in Counter(names).items() if times > 1]


def test_the_code_still_says_what_is_taken_out() -> None:
    assert [mutant.name for mutant in mutants() if not mutant.applies(ROOT)] == []


def test_what_is_left_without_it_is_python() -> None:
    """Else any test fails, whatever it shows."""
    for mutant in mutants():
        ast.parse(mutant.without(ROOT), mutant.name)


@pytest.mark.parametrize("protection", PROTECTIONS, ids=lambda protection: protection.says[:40])
def test_a_protection_stands_somewhere_and_has_a_test(protection: Protection) -> None:
    assert protection.says
    assert protection.mutants
    assert protection.tests
    for file in protection.files:
        assert (ROOT / "orchestrator" / file).is_file(), f"{file} is not there any more: where does this stand now?"
    for test in protection.tests:
        path, _, name = test.partition("::")
        assert name.startswith("test_")
        assert name in _tests_of(path), f"{test} is not there any more: which test fails now without this?"
