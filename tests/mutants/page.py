"""Writes docs/protections.md from the table of mutants: `make protections`."""

from collections.abc import Iterable, Iterator

from fakes.documents import ROOT
from mutants.table import Protection, introduction, sections

PAGE = "docs/protections.md"


def page() -> str:
    """The text of the page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield from ("# Protections", "", introduction())
    for section in sections():
        yield from ("", f"## {section.title}", "")
        yield from ("| protection | where | test that fails without it |", "|---|---|---|")
        yield from map(_row, section.protections)


def _row(protection: Protection) -> str:
    says = protection.says.replace("|", r"\|")
    return f"| {says} | {_spans(protection.files)} | {_spans(protection.tests)} |"


def _spans(texts: Iterable[str]) -> str:
    return ", ".join(f"`{text}`" for text in texts)


if __name__ == "__main__":
    (ROOT / PAGE).write_text(page(), encoding="utf-8")
