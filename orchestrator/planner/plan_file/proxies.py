"""Turns the entries of `proxies` into targets while the file is read, so that a long list never stands in memory."""

from collections.abc import Callable
from typing import Any

from msgspec import structs

from orchestrator.model.plan.target import Target
from orchestrator.planner.plan_file.rules import newer_than_target, scope_problem
from orchestrator.planner.plan_file.schemas.schema_targets import DEFAULT_SCOPE, MOST_LABELS, PROXY
from orchestrator.planner.reading.nodes import Mapping, Node, Scalar, find
from orchestrator.planner.reading.problems import At, Problems
from orchestrator.planner.reading.shapes import BAD, Leaf

_AT: At = (None, "proxies")

#: How the keys with a single text are read: by the same functions as everywhere.
_PARSE: dict[str, Callable[[str], Any]] = {
    entry.key: entry.shape.parse for entry in PROXY.fields if isinstance(entry.shape, Leaf)
}


class _First:
    """The first entry with a certain value, and how many more there are."""

    __slots__ = ("at", "node", "times")

    def __init__(self, node: Mapping, at: At) -> None:
        self.node = node
        self.at = at
        self.times = 1

    def more(self) -> str:
        return f" (and {self.times - 1:,} more entries)" if self.times > 1 else ""


class ProxyFold:
    """Reads one entry at a time; what needs the rest of the plan is remembered and checked at the end.

    Args:
        problems: takes what is wrong.
    """

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._lines: dict[str, int] = {}
        self._lines_seen = 0
        self._scopes: dict[str, _First] = {}
        self._sources: dict[str, _First] = {}
        self._labels: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}

    def __call__(self, node: Node, index: int) -> Target | None:
        """The target of an entry; None when something is wrong with it."""
        at: At = (_AT, index)
        target = self._plain(node) or self._read(node, at)
        if target is not None and isinstance(node, Mapping):
            self._remember(target, node, at)
        return target

    def _read(self, node: Node, at: At) -> Target | None:
        value = PROXY.read(node, at, self._problems)
        return None if value is BAD else structs.replace(value, labels=self._shared(value.labels))

    def _plain(self, node: Node) -> Target | None:
        """The target of an entry with nothing wrong and nothing unusual in it, as almost all are; else None.

        Four times as fast as the general way, which then says what is wrong. It accepts nothing that is refused there.
        """
        values: dict[str, Any] = {}
        entries = node.entries if type(node) is Mapping else ()
        try:
            for key, value in entries:
                if type(value) is Scalar:
                    values[key.text] = _PARSE[key.text](value.text)
                elif (labels := self._plain_labels(key, value)) is not None:
                    values["labels"] = labels
            if len(values) != len(entries):
                return None
            return Target(scope=values.pop("scope", DEFAULT_SCOPE), **values)
        except (KeyError, ValueError, TypeError):
            return None

    def _plain_labels(self, key: Scalar, node: Node) -> dict[str, str] | None:
        if key.text != "labels" or type(node) is not Mapping or len(node.entries) > MOST_LABELS:
            return None
        labels = {
            name.text: value.text
            for name, value in node.entries
            if type(value) is Scalar and name.text.strip() and "\0" not in value.text
        }
        return self._shared(labels) if len(labels) == len(node.entries) else None

    def _shared(self, labels: dict[str, str]) -> dict[str, str]:
        """Equal labels as one object: a thousand targets with the labels of one application share them."""
        return self._labels.setdefault(tuple(labels.items()), labels)

    def _remember(self, target: Target, node: Mapping, at: At) -> None:
        line = self._lines.setdefault(target.proxy_id, node.line)
        if self._lines_seen == len(self._lines):
            wrong = f"{target.proxy_id} is listed twice, first in line {line}"
            self._problems.add(find(node, "proxy_id") or node, (at, "proxy_id"), wrong)
        self._lines_seen = len(self._lines)
        _note(self._scopes, target.scope, node, at)
        if target.source_version:
            _note(self._sources, target.source_version, node, at)

    def check(self, names: frozenset[str] | None, target_version: str | None, *, several: bool) -> None:
        """Check what only the whole plan can tell.

        Args:
            names: of the plan's scopes; None when they could not be read.
            target_version: None when it could not be read.
            several: the plan has `scopes`.
        """
        if names is not None:
            self._check_scopes(names, several=several)
        if target_version is not None:
            self._check_sources(target_version)

    def _check_scopes(self, names: frozenset[str], *, several: bool) -> None:
        for name, first in self._scopes.items():
            node = find(first.node, "scope")
            if wrong := scope_problem(name if node else None, names, several=several):
                self._problems.add(node or first.node, (first.at, "scope"), wrong + first.more())

    def _check_sources(self, target_version: str) -> None:
        for version, first in self._sources.items():
            if newer_than_target(version, target_version):
                wrong = f"{version} is newer than target_version {target_version}"
                node = find(first.node, "source_version") or first.node
                self._problems.add(node, (first.at, "source_version"), wrong + first.more())


def _note(notes: dict[str, _First], key: str, node: Mapping, at: At) -> None:
    note = notes.get(key)
    if note is None:
        notes[key] = _First(node, at)
    else:
        note.times += 1
