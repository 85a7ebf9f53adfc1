"""From the words of a command line to its options, by `argparse`. What it says of a mistake, `first_look` says too."""

from __future__ import annotations

from orchestrator.cli.grammar.command_line import lonely, too_much, verb_first
from orchestrator.cli.grammar.grammar import parser
from orchestrator.cli.grammar.words import OPTIONS
from orchestrator.cli.options import Options

TYPE_CHECKING = False  # as `typing` has it, whose import would take longer than the rest
if TYPE_CHECKING:
    import argparse
    from typing import Any


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
        program.error(too_much(strays[0], given["verb"]))
    _expect_values(program, given)
    if trouble := lonely(given["verb"], given):
        program.error(trouble)
    overrides = dict(given.pop("set", None) or ())
    return Options(**given, overrides=overrides)


def _expect_values(program: argparse.ArgumentParser, given: dict[str, Any]) -> None:
    """Refuse `--option=--`, of which argparse makes an empty list."""
    for name, value in given.items():
        if value == [] or (isinstance(value, list) and [] in value):
            program.error(f"argument --{name.replace('_', '-')}: expected a value, got '--'")
