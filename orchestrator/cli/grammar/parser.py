"""From the words of a command line to its options, by `argparse`. What it says of a mistake, `first_look` says too."""

from __future__ import annotations

from orchestrator.cli.grammar.command_line import PROGRAM, lonely, mistake, too_much, verb_first
from orchestrator.cli.grammar.grammar import parser
from orchestrator.cli.grammar.words import OPTIONS
from orchestrator.cli.options import Options
from orchestrator.plain import plain

TYPE_CHECKING = False  # as `typing` has it, whose import would take longer than the rest
if TYPE_CHECKING:
    import argparse
    from typing import Any, NoReturn


def parse(arguments: list[str]) -> Options:
    """Parse a command line.

    Raises:
        SystemExit: 2 for a wrong command line; 0 after `--help` and `--version`.
    """
    words = verb_first(arguments)
    program = parser(words[0] if words and words[0] in OPTIONS else None)
    known, strays = program.parse_known_args(words)
    given = vars(known)
    if strays:
        _refuse(program, too_much(strays[0], given["verb"]), given["verb"])
    _expect_values(program, given)
    if trouble := lonely(given["verb"], given):
        _refuse(program, trouble, given["verb"])
    overrides = dict(given.pop("set", None) or ())
    return Options(**given, overrides=overrides)


def _refuse(program: argparse.ArgumentParser, trouble: str, verb: str) -> NoReturn:
    """Leave with 2 for words of a verb, whose own help is the next to read."""
    program.exit(2, mistake(plain(trouble), f"{PROGRAM} {verb}"))


def _expect_values(program: argparse.ArgumentParser, given: dict[str, Any]) -> None:
    """Refuse `--option=--`, of which argparse makes an empty list."""
    for name, value in given.items():
        if value == [] or (isinstance(value, list) and [] in value):
            _refuse(program, f"argument --{name.replace('_', '-')}: expected a value, got '--'", given["verb"])
