"""Nothing above the tracker knows how the state is kept. That it imports nothing of it, an import contract says."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import orchestrator
from orchestrator.tracker.folder import paths
from orchestrator.tracker.folder.rates_file import RATES

PACKAGE = Path(orchestrator.__file__).parent
#: Names that are nothing but a file's; `lock` and `runs` are words as well.
FILES = (paths.BEGIN, paths.OWNER, paths.COMMANDS, paths.PLAN, paths.SETTINGS, paths.TARGETS, paths.JOURNAL, RATES)


def strings(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize("folder", ["app", "cli", "executor", "forecast", "planner"])
def test_no_file_of_the_state_is_named_above_the_tracker(folder: str) -> None:
    named = [
        (str(path.relative_to(PACKAGE)), name)
        for path in (PACKAGE / folder).rglob("*.py")
        for text in strings(path)
        for name in FILES
        if name in text
    ]
    assert named == []
