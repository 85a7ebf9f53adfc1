"""The protections of `mutants.toml`: the tests that must notice when one is missing, and how each is taken out."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fakes.documents import read


@dataclass(frozen=True)
class Mutant:
    """One protection less.

    Attributes:
        protection: in the words of the page.
        file: below `orchestrator/`.
        old: stands there once.
        new: stands there instead.
        tests: at least one of them must fail then.
    """

    name: str
    protection: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def applies(self, root: Path) -> bool:
        """Whether the code still says what is to be replaced, in one place."""
        return self._path(root).read_text(encoding="utf-8").count(self.old) == 1

    def without(self, root: Path) -> str:
        """The file without the protection."""
        return self._path(root).read_text(encoding="utf-8").replace(self.old, self.new)

    def apply(self, root: Path) -> None:
        """Take the protection out of a copy of the project."""
        self._path(root).write_text(self.without(root), encoding="utf-8")

    def _path(self, root: Path) -> Path:
        return root / "orchestrator" / self.file


@dataclass(frozen=True)
class Protection:
    """A row of the page.

    Attributes:
        says: what it protects from.
        tests: at least one of them fails without it.
        mutants: the ways to take it out, one for each of its conditions.
    """

    says: str
    tests: tuple[str, ...]
    mutants: tuple[Mutant, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """Where it stands."""
        return tuple(dict.fromkeys(mutant.file for mutant in self.mutants))


@dataclass(frozen=True)
class Section:
    """Protections of one subject."""

    title: str
    protections: tuple[Protection, ...]


def introduction() -> str:
    """What the page says before its first table."""
    return str(_table()["introduction"]).strip()


def sections() -> tuple[Section, ...]:
    """All protections, in the order of the page."""
    return tuple(Section(each["title"], tuple(map(_protection, each["protection"]))) for each in _table()["section"])


def mutants() -> Iterator[Mutant]:
    """All of them, in the order of the page."""
    return (mutant for section in sections() for each in section.protections for mutant in each.mutants)


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(read("tests/mutants/mutants.toml"))


def _protection(entry: Mapping[str, Any]) -> Protection:
    says, tests = entry["says"], tuple(entry["tests"])
    return Protection(says, tests, tuple(Mutant(**each, protection=says, tests=tests) for each in entry["mutant"]))
