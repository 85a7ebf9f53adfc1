"""A YAML document as positioned nodes: every scalar is still the text that was written, with its line and column."""

from typing import Any, TypeAlias

from msgspec import Struct


class Scalar(Struct, gc=False):
    """Text, whatever its quotes. Lines and columns count from 1; line 0 is a value that stands in no file."""

    text: str
    line: int
    column: int


class Sequence(Struct):
    """A list of nodes."""

    items: "list[Node]"
    line: int
    column: int


class Mapping(Struct):
    """Keys and nodes, in the order and as often as they were written."""

    entries: "list[tuple[Scalar, Node]]"
    line: int
    column: int


class Folded(Struct):
    """A sequence whose items were turned into values while it was read; None stands for an item with problems."""

    values: list[Any]
    line: int
    column: int


Node: TypeAlias = Scalar | Sequence | Mapping | Folded


def find(mapping: Mapping, key: str) -> Node | None:
    """The first value of `key`, if it is there."""
    return next((value for scalar, value in mapping.entries if scalar.text == key), None)


def written_keys(root: Mapping) -> frozenset[str]:
    """Every key that the document sets, dotted, without the indexes of lists: `limits.rate`, `waves.soak`."""
    found: set[str] = set()
    _collect(root, "", found)
    return frozenset(found)


def _collect(node: Node, prefix: str, found: set[str]) -> None:
    if isinstance(node, Mapping):
        for key, value in node.entries:
            found.add(prefix + key.text)
            _collect(value, f"{prefix}{key.text}.", found)
    elif isinstance(node, Sequence):
        for item in node.items:
            _collect(item, prefix, found)
