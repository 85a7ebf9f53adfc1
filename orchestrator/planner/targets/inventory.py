"""Streams targets from inventory files, CSV or NDJSON, one line at a time, whatever their number.

Known columns and keys are those of `proxies`; every further one is a label. The two formats differ only in how a line
becomes names and texts (`inventory_rows`); what the texts mean is decided here, once.
"""

from collections.abc import Iterator
from typing import TypeAlias

from orchestrator.model.plan.target import Target
from orchestrator.planner.plan_file.names import INSTANCE_ID, PROXY_ID, VERSION
from orchestrator.planner.plan_file.rules import newer_than_target, scope_problem
from orchestrator.planner.plan_file.schemas.schema_targets import DEFAULT_SCOPE
from orchestrator.planner.reading.problems import Problems, quote
from orchestrator.planner.reading.shapes import Leaf
from orchestrator.planner.targets.inventory_rows import Row, csv_rows, ndjson_rows

#: Line and target.
Placed: TypeAlias = tuple[int, Target]
#: The labels of a row, as they share memory with equal ones.
_LabelKey: TypeAlias = tuple[tuple[str, str], ...]


def read_inventory(path: str, *, scopes: frozenset[str], target_version: str, problems: Problems) -> Iterator[Placed]:
    """Every target of a file, with its line. Lines with problems give none.

    Args:
        path: absolute path; `.csv` is CSV with a header, all else NDJSON.
        scopes: names of the plan's scopes.
        target_version: the plan's.
        problems: of this file; also takes that the file cannot be read.
    """
    reader = _Reader(scopes, target_version, problems)
    rows = csv_rows if path.lower().endswith(".csv") else ndjson_rows
    for row in rows(path, problems):
        target = reader.target(row)
        if target is not None:
            yield row.line, target


class _Reader:
    """Checks rows and makes targets. Equal texts and label sets are kept once: a million targets repeat few."""

    def __init__(self, scopes: frozenset[str], target_version: str, problems: Problems) -> None:
        self._scopes = scopes
        self._several = scopes != {DEFAULT_SCOPE}
        self._target_version = target_version
        self._problems = problems
        self._good_scopes: dict[str | None, str] = {}
        self._good_versions: dict[str, str] = {}
        self._labels: dict[_LabelKey, dict[str, str]] = {}
        self._instance = ""

    def target(self, row: Row) -> Target | None:
        """The target of a row; None when something is wrong with it."""
        take = row.texts.pop
        scope = self._scope(row, take("scope", None))
        instance_id = self._id(row, "instance_id", INSTANCE_ID, take("instance_id", ""))
        proxy_id = self._id(row, "proxy_id", PROXY_ID, take("proxy_id", ""))
        version = take("source_version", None)
        source_version = self._version(row, version)
        if not (scope and instance_id and proxy_id) or (version and not source_version):
            return None
        if instance_id == self._instance:
            instance_id = self._instance
        self._instance = instance_id
        labels = self._labels.setdefault(tuple(row.texts.items()), row.texts)
        return Target(
            scope=scope, instance_id=instance_id, proxy_id=proxy_id, source_version=source_version, labels=labels
        )

    def _id(self, row: Row, key: str, leaf: Leaf, text: str) -> str | None:
        try:
            return leaf.parse(text)  # type: ignore[no-any-return]  # both leaves give text
        except ValueError:
            got = quote(text) if text else "nothing"
            self._problems.at_place(row.line, 0, f"{key}: expected {leaf.expected}, got {got}")
            return None

    def _scope(self, row: Row, text: str | None) -> str | None:
        if text in self._good_scopes:
            return self._good_scopes[text]
        if wrong := scope_problem(text, self._scopes, several=self._several):
            self._problems.at_place(row.line, 0, f"scope: {wrong}")
            return None
        return self._good_scopes.setdefault(text, text or DEFAULT_SCOPE)

    def _version(self, row: Row, text: str | None) -> str | None:
        if text is None or text in self._good_versions:
            return text and self._good_versions[text]
        try:
            VERSION.parse(text)
        except ValueError:
            wrong = f"expected {VERSION.expected}, got {quote(text)}"
        else:
            if not newer_than_target(text, self._target_version):
                return self._good_versions.setdefault(text, text)
            wrong = f"{text} is newer than target_version {self._target_version}"
        self._problems.at_place(row.line, 0, f"source_version: {wrong}")
        return None
