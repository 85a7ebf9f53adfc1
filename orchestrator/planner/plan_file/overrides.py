"""Puts the values of `--set key=value` into the tree of a plan, where the schema reads them like any other."""

from collections.abc import Mapping as AnyMapping

from orchestrator.planner.reading.nodes import Mapping, Node, Scalar, Sequence, find
from orchestrator.planner.reading.problems import Problems
from orchestrator.planner.reading.yaml_nodes import read_yaml
from orchestrator.planner.reading.yaml_problems import YamlProblem
from orchestrator.spoken import nearest

#: What may change between the sessions of a run, and so may be set for one of them.
CHANGEABLE = (
    *("limits", "failures", "windows", "freezes", "fit", "gates", "capacity", "cloud_events", "impact", "cloud_eye"),
    *("follow", "retry", "http", "auth", "metrics", "notify"),
)


def override(root: Mapping, overrides: AnyMapping[str, str], problems: Problems) -> Mapping:
    """The tree with the overrides in place; keys that may not be set are recorded as problems.

    Args:
        root: the plan's tree; it is not changed.
        overrides: dotted key to a value in YAML.
        problems: takes what is wrong.
    """
    for dotted, text in overrides.items():
        keys = dotted.split(".")
        if keys[0] not in CHANGEABLE:
            near = nearest(keys[0], list(CHANGEABLE))
            hint = f"; did you mean {near}?" if near else f"; what can be set is {', '.join(CHANGEABLE)}"
            problems.at_place(0, 0, f"{dotted}: cannot be set for a session{hint}")
        elif (node := _parse(dotted, text, problems)) is not None:
            root = _put(root, keys, node)
    return root


def _parse(dotted: str, text: str, problems: Problems) -> Node | None:
    try:
        node = read_yaml(text.encode("utf-8", "surrogateescape"))
    except YamlProblem as problem:
        problems.at_place(0, 0, f"{dotted}: {problem}")
        return None
    return _unplaced(node or Scalar("", 0, 0))


def _unplaced(node: Node) -> Node:
    """The node as one that stands in no file."""
    match node:
        case Mapping(entries=entries):
            return Mapping([(Scalar(key.text, 0, 0), _unplaced(value)) for key, value in entries], 0, 0)
        case Sequence(items=items):
            return Sequence([_unplaced(item) for item in items], 0, 0)
        case Scalar(text=text):
            return Scalar(text, 0, 0)
        case _:
            return node


def _put(node: Node | None, keys: list[str], value: Node) -> Mapping:
    """A copy of a mapping with the value at a path of keys, without touching what other aliases share."""
    entries = list(node.entries) if isinstance(node, Mapping) else []
    line, column = (node.line, node.column) if node else (0, 0)
    head, *rest = keys
    placed = _put(find(node, head), rest, value) if rest and isinstance(node, Mapping) else value
    if rest and not isinstance(node, Mapping):
        placed = _put(None, rest, value)
    kept = [(key, child) for key, child in entries if key.text != head]
    return Mapping([*kept, (Scalar(head, 0, 0), placed)], line, column)
