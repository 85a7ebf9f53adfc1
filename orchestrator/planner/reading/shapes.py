"""The few shapes a value of a plan can have. Each reads nodes into values, and describes itself as JSON Schema.

One declaration serves both, so the schema that an editor uses cannot drift from what the program accepts. Reading
never stops at the first problem: a value that cannot be read is `BAD`, and its problem is in `Problems`. Mappings with
known keys are in `mapping`.
"""

from collections.abc import Callable
from typing import Any, Final, Protocol

from msgspec import Struct

from orchestrator.planner.reading.nodes import Folded, Mapping, Node, Scalar, Sequence
from orchestrator.planner.reading.problems import At, Problems, quote
from orchestrator.planner.reading.yaml_problems import look_alike, unfilled


class _Bad:
    """The type of `BAD`."""


#: Stands for a value that could not be read; what was wrong with it has been recorded.
BAD: Final = _Bad()


class Shape(Protocol):
    """How one kind of value is read and described."""

    def read(self, node: Node, at: At, problems: Problems) -> Any:
        """The value of a node, or `BAD`."""

    def json(self) -> dict[str, Any]:
        """The same as JSON Schema."""


class Leaf(Struct, frozen=True, kw_only=True):
    """A single text.

    Attributes:
        expected: what should stand there, as in "a rate such as 10/s".
        parse: the value of a text; raises ValueError, with a message when `expected` does not say it all.
        schema: JSON Schema of it.
        secretive: never repeat the text in a message, for a secret may have been written there by mistake.
    """

    expected: str
    parse: Callable[[str], Any]
    schema: dict[str, Any]
    secretive: bool = False

    def read(self, node: Node, at: At, problems: Problems) -> Any:
        """See `Shape`."""
        if not isinstance(node, Scalar):
            problems.add(node, at, f"expected {self.expected}, got {kind(node)}")
            return BAD
        if "\0" in node.text:  # as "\0" in YAML: no file, no header and no database takes it
            problems.add(node, at, "must not hold the character U+0000")
            return BAD
        try:
            return self.parse(node.text)
        except ValueError as error:
            got = "" if self.secretive else _got(node.text)
            problems.add(node, at, f"{str(error) or f'expected {self.expected}'}{got}{unfilled(node.text)}")
            return BAD

    def json(self) -> dict[str, Any]:
        """See `Shape`."""
        return dict(self.schema)


def _got(text: str) -> str:
    return f", got {quote(text)}{look_alike(text)}" if text else ", got nothing"


class ListOf(Struct, frozen=True, kw_only=True):
    """A list, as a tuple.

    Attributes:
        one: a single item may be written without a list.
        least: fewest items.
        unique: no item twice.
    """

    item: Shape
    one: bool = False
    least: int = 0
    unique: bool = False

    def read(self, node: Node, at: At, problems: Problems) -> Any:
        """See `Shape`."""
        if isinstance(node, Folded):
            return BAD if None in node.values else tuple(node.values)
        if self.one and not isinstance(node, Sequence):
            value = self.item.read(node, at, problems)
            return BAD if value is BAD else (value,)
        if not isinstance(node, Sequence):
            problems.add(node, at, f"expected a list, got {kind(node)}")
            return BAD
        return self._items(node, at, problems)

    def _items(self, node: Sequence, at: At, problems: Problems) -> Any:
        values = [self.item.read(item, (at, index), problems) for index, item in enumerate(node.items)]
        if len(values) < self.least:
            problems.add(node, at, f"expected at least {self.least} entry, got an empty list")
            return BAD
        if any(value is BAD for value in values):
            return BAD
        if self.unique and (index := _first_repeated(values)) is not None:
            problems.add(node.items[index], (at, index), "is in the list twice")
            return BAD
        return tuple(values)

    def json(self) -> dict[str, Any]:
        """See `Shape`."""
        many: dict[str, Any] = {"type": "array", "items": self.item.json()}
        if self.least:
            many["minItems"] = self.least
        if self.unique:
            many["uniqueItems"] = True
        return {"anyOf": [self.item.json(), many]} if self.one else many


class MapOf(Struct, frozen=True, kw_only=True):
    """Free names and values of one shape, as a dict.

    Attributes:
        name: checks each name and raises ValueError.
        names: JSON Schema of a name.
        least: fewest names.
        most: most of them; None for any number.
    """

    item: Shape
    name: Callable[[str], Any] = str
    names: dict[str, Any] = {}
    least: int = 0
    most: int | None = None

    def read(self, node: Node, at: At, problems: Problems) -> Any:
        """See `Shape`."""
        if not isinstance(node, Mapping):
            problems.add(node, at, f"expected names and values, got {kind(node)}")
            return BAD
        if self.most is not None and len(node.entries) > self.most:
            problems.add(node, at, f"has {len(node.entries):,} names, more than {self.most}")
            return BAD
        values: dict[str, Any] = {}
        before = len(problems)
        for name, (key, value) in unique_keys(node, at, problems).items():
            self._check_name(key, at, problems)
            values[name] = self.item.read(value, (at, name), problems)
        if len(values) < self.least:
            problems.add(node, at, f"expected at least {self.least} entry, got none")
        return values if len(problems) == before else BAD

    def _check_name(self, key: Scalar, at: At, problems: Problems) -> None:
        try:
            self.name(key.text)
        except ValueError as error:
            problems.add(key, (at, key.text), str(error))

    def json(self) -> dict[str, Any]:
        """See `Shape`."""
        bounds = {"minProperties": self.least} | ({} if self.most is None else {"maxProperties": self.most})
        names = {"propertyNames": {"pattern": self.names["pattern"]}} if self.names else {}
        return {"type": "object", "additionalProperties": self.item.json(), **bounds, **names}


class Words(Struct, frozen=True, kw_only=True):
    """One of some words with a meaning of their own, or else a value of another shape."""

    words: dict[str, Any]
    other: Shape
    otherwise: str = "a list"

    def read(self, node: Node, at: At, problems: Problems) -> Any:
        """See `Shape`."""
        if not isinstance(node, Scalar):
            return self.other.read(node, at, problems)
        if node.text in self.words:
            return self.words[node.text]
        problems.add(node, at, f"expected {' or '.join(self.words)} or {self.otherwise}, got {quote(node.text)}")
        return BAD

    def json(self) -> dict[str, Any]:
        """See `Shape`."""
        return {"anyOf": [{"enum": list(self.words)}, self.other.json()]}


def unique_keys(node: Mapping, at: At, problems: Problems) -> dict[str, tuple[Scalar, Node]]:
    """The entries of a mapping by key; a key written twice is recorded, with both places."""
    pairs: dict[str, tuple[Scalar, Node]] = {}
    for key, value in node.entries:
        first = pairs.setdefault(key.text, (key, value))[0]
        if first is not key:
            where = f"line {first.line}, column {first.column}"
            problems.add(key, (at, key.text), f"duplicate key; the first stands in {where}")
    return pairs


def kind(node: Node) -> str:
    """What stands there, in words."""
    match node:
        case Scalar(text=text):
            return quote(text) if text else "nothing"
        case Mapping():
            return "keys and values"
        case Sequence() | Folded():
            return "a list"


def _first_repeated(values: list[Any]) -> int | None:
    seen: set[Any] = set()
    for index, value in enumerate(values):
        if value in seen:
            return index
        seen.add(value)
    return None
