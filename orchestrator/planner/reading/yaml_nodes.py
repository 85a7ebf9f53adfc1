"""Reads YAML text into nodes from the event stream. Knows YAML and nothing of plans; types no scalar.

The event stream is ten times faster than composing, and every event has its place. What could hurt is refused while
it is read: deep nesting, alias bombs, tags, merge keys, a second document.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from yaml import events as ev
from yaml.error import MarkedYAMLError, YAMLError
from yaml.reader import ReaderError

from orchestrator.planner.reading.nodes import Folded, Mapping, Node, Scalar, Sequence
from orchestrator.planner.reading.yaml_problems import (
    ODD_SPACES,
    YamlProblem,
    odd_space,
    refused_problem,
    syntax_problem,
    text_problem,
)

MAX_DEPTH = 32
_TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep"
#: Nodes that aliases may add: enough for any honest plan, however long; a bomb grows exponentially or quadratically.
ALIAS_ALLOWANCE = 100_000
ALIAS_FACTOR = 20

#: Takes each item of a long sequence as soon as it is read, with its index, and gives the value to keep.
Fold: TypeAlias = Callable[[Node, int], Any]


def read_yaml(data: bytes, folds: dict[str, Fold] | None = None) -> Node | None:
    """The one document of a YAML text; None when there is none.

    Args:
        data: the text, UTF-8.
        folds: for keys at the top level: sequences that are turned into values item by item instead of kept.

    Raises:
        YamlProblem: at the first place that cannot be read.
    """
    try:
        return _Builder(_parser(data), folds or {}).document()
    except YamlProblem as problem:
        raise refused_problem(data, problem) from None
    except MarkedYAMLError as error:
        raise syntax_problem(data, error, _TOO_DEEP) from None
    except ReaderError as error:
        raise text_problem(data, error) from None
    except YAMLError as error:
        raise YamlProblem(1, 1, f"not readable as YAML: {error}") from None


def _parser(data: bytes) -> Any:
    """LibYAML's parser where PyYAML was built with it, else PyYAML's own, 20 times slower."""
    try:
        from yaml._yaml import CParser  # noqa: PLC0415  # only some builds of PyYAML have it
    except ImportError:
        from yaml.loader import BaseLoader  # noqa: PLC0415  # the fallback alone needs it

        return BaseLoader(data)
    return CParser(data)


class _Builder:
    """Folds events into nodes; recursion is bounded by `MAX_DEPTH`."""

    def __init__(self, parser: Any, folds: dict[str, Fold]) -> None:
        self._next = parser.get_event
        self._folds = folds
        self._anchors: dict[str, tuple[Node, int] | None] = {}
        self._written = 0
        self._expanded = 0

    def document(self) -> Node | None:
        self._next()  # the start of the stream
        event = self._next()
        if isinstance(event, ev.StreamEndEvent):
            return None
        root = self._root(self._next())
        self._next()  # the end of the document
        event = self._next()
        if not isinstance(event, ev.StreamEndEvent):
            raise _refuse(event, "a second document starts here; a plan is one document")
        return root

    def _root(self, event: Any) -> Node:
        if not isinstance(event, ev.MappingStartEvent):
            return self._node(event, 1)
        self._check(event)
        entries: list[tuple[Scalar, Node]] = []
        while type(start := self._next()) is not ev.MappingEndEvent:
            key, value = self._key(start), self._next()
            fold = self._folds.get(key.text)
            if fold and type(value) is ev.SequenceStartEvent and not value.anchor:
                entries.append((key, self._folded(value, fold)))
            else:
                entries.append((key, self._node(value, 2)))
        return Mapping(entries, *_place(event))

    def _folded(self, event: Any, fold: Fold) -> Folded:
        self._check(event)
        values: list[Any] = []
        read, node = self._next, self._node
        while type(item := read()) is not ev.SequenceEndEvent:
            values.append(fold(node(item, 3), len(values)))
        return Folded(values, *_place(event))

    def _node(self, event: Any, depth: int) -> Node:
        if type(event) is ev.ScalarEvent:
            return self._scalar(event)
        if type(event) is ev.AliasEvent:
            return self._alias(event)
        self._check(event)
        if depth > MAX_DEPTH:
            raise _refuse(event, _TOO_DEEP)
        return self._collection(event, depth)

    def _scalar(self, event: Any) -> Scalar:
        mark = event.start_mark
        node = Scalar(event.value, mark.line + 1, mark.column + 1)
        self._written += 1
        if event.tag:
            raise _refuse_tag(event)
        if event.value[:1] in ODD_SPACES and not event.style:
            raise _refuse(event, odd_space(event.value))
        if event.anchor:
            self._anchors[event.anchor] = (node, 1)
        return node

    def _collection(self, event: Any, depth: int) -> Node:
        read = self._mapping if type(event) is ev.MappingStartEvent else self._sequence
        anchor = event.anchor
        if not anchor:
            return read(event, depth)
        self._anchors[anchor] = None
        before = self._written + self._expanded
        node = read(event, depth)
        self._anchors[anchor] = (node, self._written + self._expanded - before + 1)
        return node

    def _mapping(self, event: Any, depth: int) -> Mapping:
        entries: list[tuple[Scalar, Node]] = []
        read, key, scalar = self._next, self._key, self._scalar
        while type(start := read()) is not ev.MappingEndEvent:
            name, value = key(start), read()
            entries.append((name, scalar(value) if type(value) is ev.ScalarEvent else self._node(value, depth + 1)))
        return Mapping(entries, *_place(event))

    def _sequence(self, event: Any, depth: int) -> Sequence:
        items: list[Node] = []
        while type(item := self._next()) is not ev.SequenceEndEvent:
            items.append(self._node(item, depth + 1))
        return Sequence(items, *_place(event))

    def _key(self, event: Any) -> Scalar:
        key = self._alias(event) if type(event) is ev.AliasEvent else event
        if type(key) is ev.ScalarEvent:
            key = self._scalar(event)
        if not isinstance(key, Scalar):
            raise _refuse(event, "a key must be plain text")
        if key.text == "<<":
            raise _refuse(event, "merge keys (<<) are not supported; give the anchor to a whole value instead")
        return key

    def _alias(self, event: Any) -> Node:
        if event.anchor not in self._anchors:
            raise _refuse(event, f"no anchor &{event.anchor} stands before this alias")
        target = self._anchors[event.anchor]
        if target is None:
            raise _refuse(event, f"the alias *{event.anchor} stands inside its own anchor")
        self._written += 1
        self._expanded += target[1]
        if self._expanded > ALIAS_ALLOWANCE + ALIAS_FACTOR * self._written:
            raise _refuse(event, "aliases make this document far larger than it was written")
        return target[0]

    def _check(self, event: Any) -> None:
        self._written += 1
        if event.tag:
            raise _refuse_tag(event)


def _place(event: Any) -> tuple[int, int]:
    mark = event.start_mark
    return mark.line + 1, mark.column + 1


def _refuse(event: Any, message: str) -> YamlProblem:
    return YamlProblem(*_place(event), message)


def _refuse_tag(event: Any) -> YamlProblem:
    return _refuse(event, f"tags such as {event.tag} are refused; a plan is plain text, lists and mappings")
