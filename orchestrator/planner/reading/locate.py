"""Where in its file a plan says something, for mistakes that are found only when its targets are known.

The file is read a second time for it, which only happens when there is something to complain about.
"""

from collections.abc import Iterable
from contextlib import suppress

from orchestrator.host import is_lasting, path_of
from orchestrator.planner.reading.nodes import Mapping, Node, Sequence, find
from orchestrator.planner.reading.problems import At, dotted
from orchestrator.planner.reading.yaml_nodes import read_yaml
from orchestrator.planner.reading.yaml_problems import YamlProblem


def with_place(path: str, at: At, message: str) -> str:
    """A message with the place of the value `at` this key: `plan.yaml:12:5: exclude[0].name: message`.

    Without line and column when the file does not set it, and what holds is the default.
    """
    node = _value(_document(path), at)
    where = f"{path}:{node.line}:{node.column}" if node is not None else path
    return f"{where}: {dotted(at)}: {message}"


def mentioned_at(paths: Iterable[str], words: str) -> str | None:
    """The first place where one of these files has these words, as `fleet.csv:12:5`; None when none has."""
    for path in filter(is_lasting, map(path_of, paths)):
        with suppress(OSError), path.open(encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, 1):
                if words in line:
                    return f"{path}:{number}:{line.index(words) + 1}"
    return None


def _document(path: str) -> Node | None:
    if not is_lasting(path_of(path)):
        return None
    try:
        return read_yaml(path_of(path).read_bytes(), {"proxies": lambda _node, _index: None})
    except (OSError, YamlProblem):  # it has changed since
        return None


def _value(node: Node | None, at: At) -> Node | None:
    if at is None:
        return node
    above, key = _value(node, at[0]), at[1]
    if isinstance(above, Mapping) and isinstance(key, str):
        return find(above, key)
    if isinstance(above, Sequence) and isinstance(key, int) and key < len(above.items):
        return above.items[key]
    return None
