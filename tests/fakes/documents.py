"""Reads the project's documents: code blocks, commands, tables, headings. For the tests that keep them true."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("docs", "deploy", "distribution", "plans", "tests", "benchmarks")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(file for name in FOLDERS for file in (ROOT / name).rglob("*.md"))])

_FENCE = re.compile(r"^```(\S*) *(.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CELL = re.compile(r"(?<!\\)\|")
_OPERATORS = frozenset(";<>|&()")


@dataclass(frozen=True)
class Block:
    """A fenced code block: its language, what else stands in the fence's line, and its text."""

    language: str
    info: str
    text: str


def read(document: str) -> str:
    """The text of a document, by its path from the project's root."""
    return (ROOT / document).read_text(encoding="utf-8")


def blocks(text: str, *languages: str) -> list[Block]:
    """The code blocks of these languages, of any without one."""
    found = [Block(*parts) for parts in _FENCE.findall(text)]
    return [block for block in found if not languages or block.language in languages]


def prose(text: str) -> str:
    """The text without its code blocks."""
    return _FENCE.sub("", text)


def spans(text: str) -> list[str]:
    """The inline code of a text."""
    return _SPAN.findall(prose(text))


def commands(text: str) -> Iterator[list[str]]:
    """The arguments of every command that starts with `orchestrator`, in blocks and inline."""
    lines = [line for block in blocks(text, "sh") for line in block.text.splitlines()]
    lines += [line[2:] for block in blocks(text, "console") for line in block.text.splitlines() if line[:2] == "$ "]
    for line in [*lines, *spans(text)]:
        words = shell_words(line) if line.startswith("orchestrator ") else []
        if len(words) > 1:
            yield words[1:]


def shell_words(line: str) -> list[str]:
    """The words of a shell line up to its first operator, without comments."""
    try:
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        return list(takewhile(lambda word: not _OPERATORS.issuperset(word), lexer))
    except ValueError:  # a span of prose with a lonely quotation mark is no command
        return []


def rows(text: str) -> Iterator[list[str]]:
    """The rows of every table, as cells; header and rule are left out."""
    table: list[list[str]] = []
    for line in [*prose(text).splitlines(), ""]:
        if line.startswith("|"):
            table.append([cell.strip().replace(r"\|", "|") for cell in _CELL.split(line.strip())[1:-1]])
        else:
            yield from table[2:]
            table = []


def first_words(text: str) -> list[str]:
    """What stands in backticks in the first cell of each row."""
    return [word for row in rows(text) for word in _SPAN.findall(row[0])]


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next one of any depth."""
    parts = re.split(r"^#+ +(.*)$", _masked(text), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))[heading]


def links(text: str) -> list[str]:
    """The targets of all links."""
    return _LINK.findall(prose(text))


def anchors(text: str) -> set[str]:
    """The anchors of all headings, as GitHub makes them."""
    headings = _HEADING.findall(prose(text))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _masked(text: str) -> str:
    """The text with comments in code blocks kept from looking like headings."""
    return _FENCE.sub(lambda found: found[0].replace("\n#", "\n #"), text)
