"""What is generated of the command line: a table of all words, and the text of each `--help`."""

import argparse
from collections.abc import Iterator
from typing import Any

from fakes.documents import ROOT

from orchestrator.cli.grammar import values
from orchestrator.cli.grammar.grammar import parser

WORDS = ROOT / "orchestrator/cli/grammar/words.py"
HELP = ROOT / "orchestrator/cli/grammar/help"

_HEAD = '''\
"""The words of the command line, made from its grammar by `make words`: do not edit."""

from __future__ import annotations

TYPE_CHECKING = False  # as `typing` has it, whose import would take longer than the rest
if TYPE_CHECKING:
    from typing import TypeAlias

    #: Of a value: None for no value, the values of which it is one, the name of its function in `values`, or an empty
    #: text when any text will do.
    Kind: TypeAlias = str | tuple[str, ...] | None
'''

_SAYS = {
    "OPTIONS": ("Of each verb, its options.", "dict[str, dict[str, Kind]]"),
    "NEEDED": ("Of each verb, the options that it must have.", "dict[str, tuple[str, ...]]"),
    "PLACES": (
        "Of each verb, the words in their places: name, value, whether it must be there.",
        "dict[str, tuple[tuple[str, Kind, bool], ...]]",
    ),
    "FLAGS": ("Options without a value; of all others the next word is the value.", "frozenset[str]"),
}

#: What any text is that can be written and is not empty.
_ANY = frozenset({None, values.path, values.file_name})


def words() -> str:
    """The text of the module `words`."""
    return "\n".join([_HEAD, *_lines()])


def help_texts() -> dict[str, str]:
    """Name of a file -> what `--help` prints."""
    every = parser()
    return {
        f"{each.prog.rpartition(' ')[2]}.txt": each.format_help() for each in (every, *every.verbs.choices.values())
    }


def tables() -> dict[str, Any]:
    """Name in the module `words` -> its value."""
    verbs: dict[str, argparse.ArgumentParser] = parser().verbs.choices
    options = {verb: {_name(a): _kind(a) for a in _options(each)} for verb, each in verbs.items()}
    return {
        "OPTIONS": options,
        "NEEDED": {verb: tuple(_name(a) for a in _options(each) if a.required) for verb, each in verbs.items()},
        "PLACES": {
            verb: tuple((_name(a), _kind(a), a.required) for a in _places(each)) for verb, each in verbs.items()
        },
        "FLAGS": {name for kinds in options.values() for name, kind in kinds.items() if kind is None},
    }


def _lines() -> Iterator[str]:
    for name, value in tables().items():
        says, kind = _SAYS[name]
        shown = f"frozenset([{_halves(sorted(value))}])" if isinstance(value, set) else repr(value)
        yield f"#: {says}\n{name}: {kind} = {shown}\n"


def _halves(names: list[str]) -> str:
    """The names in two groups: as one they would take a line each."""
    half = len(names) // 2
    return f"*{tuple(names[:half])!r}, *{tuple(names[half:])!r}"


def _places(each: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    return (a for a in each._actions if not a.option_strings)


def _options(each: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    return (a for a in each._actions if a.option_strings and not isinstance(a, argparse._HelpAction))


def _name(action: argparse.Action) -> str:
    return action.option_strings[0] if action.option_strings else str(action.metavar or action.dest)


def _kind(action: argparse.Action) -> str | tuple[str, ...] | None:
    if action.nargs == 0:
        return None
    if action.choices is not None:
        return tuple(map(str, action.choices))
    return "" if action.type in _ANY else str(getattr(action.type, "__name__", ""))
