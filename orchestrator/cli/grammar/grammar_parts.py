"""What the verbs of the grammar share: the common options, and those of the simulated cloud."""

from __future__ import annotations

import argparse

from orchestrator.cli.grammar import values
from orchestrator.cli.grammar.argument_parser import Parser
from orchestrator.cli.grammar.examples import examples_of

TYPE_CHECKING = False  # as `typing` has it, whose import would take longer than the rest
if TYPE_CHECKING:
    from typing import Any, Literal

#: How a proxy may be named.
NAMED = "its id, the beginning of it, or its name"


def common_options() -> argparse.ArgumentParser:
    """Options that stand before or after the verb. Suppressed defaults let either place win."""
    common = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    group = common.add_argument_group("common options")
    group.add_argument(
        "--state",
        type=values.state,
        metavar="DIR|postgresql://…",
        help="state folder, or database that hosts share (default: $ORCHESTRATOR_STATE, else beside the plan)",
    )
    group.add_argument("--log-level", choices=["debug", "info", "warning", "error"], help="default: info")
    group.add_argument("--log-format", choices=["json", "console", "lines", "auto"], help="default: auto")
    group.add_argument("--log-file", type=values.path, metavar="FILE", help="log there instead of to stderr")
    group.add_argument("--no-progress", action="store_true", help="no live display on a terminal")
    group.add_argument("--quiet", action="store_true", help="print nothing on exit 0, 4 and 5: for cron")
    return common


def new_verb(
    verbs: Any,
    name: str,
    text: str,
    *,
    plan: bool | Literal["perhaps"] = True,
    plan_help: str = "the plan file",
) -> Any:
    """The parser of a verb, with the common options; one with a plan has those of the simulated cloud too."""
    verb = verbs.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=examples_of(name),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[common_options()],
        argument_default=argparse.SUPPRESS,
    )
    if plan == "perhaps":  # a suppressed default would be taken for a path
        help_text = "the plan file; without it, all fleets of the state folder"
        verb.add_argument("plan", type=values.path, metavar="PLAN", nargs="?", default=None, help=help_text)
    elif plan:
        verb.add_argument("plan", type=values.path, metavar="PLAN", help=plan_help)
    if plan:
        add_simulation(verb)
    return verb


def add_simulation(verb: Any) -> None:
    """Add the options of the simulated cloud."""
    group = verb.add_argument_group("simulated cloud")
    group.add_argument("--simulate", action="store_true", help="use an embedded simulated cloud of the plan's targets")
    group.add_argument("--seed", type=values.seed, help="all its chance follows from this (default: 1)")
    group.add_argument("--speed", type=values.speed, help="divides its durations and the plan's (default: 60)")
    group.add_argument(
        "--faults",
        type=values.file_name,
        metavar="none|light|harsh|FILE",
        help="what goes wrong in it (default: light)",
    )
