"""One word for one thing: a name of a class or of a module is used once, so that a search finds the one place."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import orchestrator

PACKAGE = Path(orchestrator.__file__).parent

#: A simulated cloud has words of its own, the cloud's.
APART = PACKAGE / "simulator"

#: Modules of parallel folders that share a name, because they say the same thing of their folder.
SAME_THING = {
    "schema.py": "what a file may hold: a plan, a report",
    "state.py": "what stands: of one target as its records tell it, of all fleets as it is kept",
    "target.py": "a target: as the plan names it, as the report shows it",
}


def _modules() -> Iterator[Path]:
    return (path for path in PACKAGE.rglob("*.py") if not path.is_relative_to(APART))


def test_no_class_name_is_defined_twice() -> None:
    places = defaultdict(list)
    for path in _modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(str(path.relative_to(PACKAGE)))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_no_module_name_occurs_twice_unless_it_says_the_same_thing_in_parallel_folders() -> None:
    places = defaultdict(list)
    for path in _modules():
        if not path.name.startswith("__"):
            places[path.name].append(str(path.relative_to(PACKAGE)))
    twice = {name: found for name, found in places.items() if len(found) > 1}
    assert twice.keys() == SAME_THING.keys(), twice
