"""One word for one thing: a name of a class or of a module is used once, so that a search finds the one place.

And no folder and no file is larger than what a reader can take in.
"""

import ast
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import orchestrator

PACKAGE = Path(orchestrator.__file__).parent

#: A simulated cloud has words of its own, the cloud's.
APART = PACKAGE / "simulator"

#: Modules of parallel folders that share a name, because they say the same thing of their folder.
SAME_THING = {
    "schema.py": "what a file may hold: a plan, a report",
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


def test_no_module_of_the_tests_hides_one_of_the_standard_library() -> None:
    """The folder of a test stands in front of `sys.path`, and of that of the processes it starts."""
    tests = Path(__file__).parent
    hidden = {str(path.relative_to(tests)) for path in tests.rglob("*.py") if path.stem in sys.stdlib_module_names}
    assert hidden == set()


def test_no_module_name_occurs_twice_unless_it_says_the_same_thing_in_parallel_folders() -> None:
    places = defaultdict(list)
    for path in _modules():
        if not path.name.startswith("__"):
            places[path.name].append(str(path.relative_to(PACKAGE)))
    twice = {name: found for name, found in places.items() if len(found) > 1}
    assert twice.keys() == SAME_THING.keys(), twice


#: Flat by its nature: a verb in each file.
FLAT = {"cli/verbs"}
MOST_MODULES, MOST_LINES = 15, 300
#: A table that nobody reads: `make words` writes it.
GENERATED = {"cli/grammar/words.py"}


def test_a_folder_can_be_taken_in_at_a_glance() -> None:
    folders = Counter(
        str(path.parent.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if path.stem != "__init__"
    )
    assert {name for name, count in folders.items() if count > MOST_MODULES} - FLAT == set()


def test_a_module_can_be_read_in_one_go() -> None:
    lines = {str(path.relative_to(PACKAGE)): path.read_text().count("\n") for path in PACKAGE.rglob("*.py")}
    assert {name for name, count in lines.items() if count > MOST_LINES} - GENERATED == set()
