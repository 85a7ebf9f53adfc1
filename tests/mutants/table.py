"""The mutants, and the tests that must notice each: `mutants.toml`, joined with the table of docs/protections.md."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fakes.documents import ROOT, read, rows, spans


@dataclass(frozen=True)
class Mutant:
    """One protection less.

    Attributes:
        protection: in the words of the table.
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
        return (root / "orchestrator" / self.file).read_text(encoding="utf-8").count(self.old) == 1

    def apply(self, root: Path) -> None:
        """Take the protection out of a copy of the project."""
        path = root / "orchestrator" / self.file
        path.write_text(path.read_text(encoding="utf-8").replace(self.old, self.new), encoding="utf-8")


def mutants() -> Iterator[Mutant]:
    """All of them, in the order of the table."""
    tests = {row[0]: tuple(spans(row[2])) for row in rows(read("docs/protections.md"))}
    for entry in tomllib.loads((ROOT / "tests/mutants/mutants.toml").read_text(encoding="utf-8"))["mutant"]:
        yield Mutant(**entry, tests=tests[entry["protection"]])
