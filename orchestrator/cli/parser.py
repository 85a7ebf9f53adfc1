"""The grammar of the command line. Imports nothing of the project but the options, so that `--help` is instant."""

from __future__ import annotations

import argparse
import re

from orchestrator import __version__
from orchestrator.cli import values
from orchestrator.cli.options import Options
from orchestrator.host import readable
from orchestrator.plain import plain
from orchestrator.tracker.report.forms import DEFAULT_FORM, FORMS

TYPE_CHECKING = False  # as `typing` has it, whose import would take longer than the rest
if TYPE_CHECKING:
    from typing import Any

_DESCRIPTION = """\
Upgrade the kernels of a fleet of TaurusDB Database Proxy instances: preview, paced upgrade calls,
every workflow followed to its end, one JSON report. Never sends an upgrade twice.
"""

_EXAMPLES = """\
examples:
  orchestrator plan plans/prod.yaml              what would happen, read from the cloud; nothing is sent
  orchestrator plan plans/prod.yaml --offline    check the plan, without any network
  orchestrator run plans/prod.yaml --quiet       the job, as cron starts it; started again it goes on
  orchestrator status plans/prod.yaml            where the run stands and what it waits for
  orchestrator hold plans/prod.yaml --note "incident 4711"
  orchestrator run plans/quickstart.yaml --simulate    try it all against an embedded simulated cloud

exit codes:
  0 done                     1 done, with other outcomes    2 command line or plan wrong
  3 the fleet is held        4 another process has it       5 more to do, start it again
  6 a person is needed       7 a scope cannot be used       8 the state folder cannot be used
"""


#: Verbs that print, and do nothing else.
READERS = frozenset({"plan", "status", "report", "runs", "explain", "schema"})

#: Options without a value; of all others the next word is the value.
FLAGS = frozenset({"--no-progress", "--quiet", "--simulate", "--offline", "--forecast", "--dry-run", "--new"})

#: Options that mean something only beside another one. Without it they would be silently ignored, and the run would be
#: a real one.
_COMPANIONS = {
    "simulate": ("seed", "speed", "faults"),
    "dry_run": ("offline", "forecast", "format"),
}

#: Verbs that need no companion.
_AT_HOME = {"simulate": ("simulate",), "dry_run": ("plan", "report", "status")}


_OPTION = re.compile("--[a-z-]+")


class _Parser(argparse.ArgumentParser):
    """Makes every word text that can be written, unless it is a path; prints errors with a hint, and exits with 2."""

    verbs: Any = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.register("type", None, readable)  # of each argument that names no type of its own

    def error(self, message: str) -> Any:
        self.exit(2, f"orchestrator: {plain(message)}\nhint: {self.prog} --help\n")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            known = [str(choice) for choice in action.choices]
            raise argparse.ArgumentError(action, values.unknown(str(value), known))


class _VerbParser(_Parser):
    """Takes options between the words of a verb too; argparse alone has an optional word follow at once."""

    _mixing = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        if self._mixing:
            return super().parse_known_args(args, namespace)
        self._mixing = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._mixing = False


def parse(arguments: list[str]) -> Options:
    """Parse a command line.

    Raises:
        SystemExit: 2 for a wrong command line; 0 after `--help` and `--version`.
    """
    parser = _parser()
    known, strays = parser.parse_known_args(_verb_first(arguments))
    given = vars(known)
    if strays:
        parser.error(_too_much(strays[0], parser.verbs.choices[given["verb"]]))
    _expect_values(parser, given)
    _expect_companions(parser, given)
    overrides = dict(given.pop("set", None) or ())
    return Options(**given, overrides=overrides)


def only_prints(arguments: list[str]) -> bool:
    """Whether a command line asks for nothing but text on standard output."""
    words = _verb_first(arguments)
    return words[0] in READERS or "--dry-run" in words if words else True


def _verb_first(arguments: list[str]) -> list[str]:
    """The same command line with the verb in front of options that stand before it."""
    place = 0
    while place < len(arguments) and arguments[place].startswith("-"):
        if arguments[place] in ("-h", "--help", "--version"):
            return arguments
        place += 1 if arguments[place] in FLAGS or "=" in arguments[place] else 2
    return [*arguments[place : place + 1], *arguments[:place], *arguments[place + 1 :]]


def _expect_values(parser: argparse.ArgumentParser, given: dict[str, Any]) -> None:
    """Refuse `--option=--`, of which argparse makes an empty list."""
    for name, value in given.items():
        if value == [] or (isinstance(value, list) and [] in value):
            parser.error(f"argument --{name.replace('_', '-')}: expected a value, got '--'")


def _expect_companions(parser: argparse.ArgumentParser, given: dict[str, Any]) -> None:
    for companion, names in _COMPANIONS.items():
        if given["verb"] in _AT_HOME[companion] or companion in given:
            continue
        for name in names:
            if name in given:
                parser.error(f"argument --{name}: goes with --{companion.replace('_', '-')}")


def _too_much(word: str, verb: argparse.ArgumentParser) -> str:
    """What is wrong with a word that a verb does not take."""
    option = word.partition("=")[0]
    if not option.startswith("-"):
        return f"{values.cut(word)!r} is one word too many for {verb.prog.rpartition(' ')[2]}"
    return f"{verb.prog.rpartition(' ')[2]}: {values.unknown(option, _OPTION.findall(verb.format_usage()))}"


def _parser() -> _Parser:
    parser = _Parser(
        prog="orchestrator",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[_common()],
    )
    parser.add_argument("--version", action="version", version=f"orchestrator {__version__}")
    parser.verbs = verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=_VerbParser)
    verbs.type = str  # the verb's own parser looks at each word
    _add_plan(verbs)
    _add_run(verbs)
    _add_readers(verbs)
    _add_commands(verbs)
    _add_simulate(verbs)
    key = _verb(verbs, "explain", "what a key of the plan means, what it takes, its default", plan=False)
    key.add_argument("key", nargs="?", metavar="KEY", help="such as limits.in_flight; without it, the top level")
    schema = _verb(verbs, "schema", "print a JSON Schema, for editors and checkers", plan=False)
    schema.add_argument("what", choices=["plan", "report", "status"])
    return parser


def _common() -> argparse.ArgumentParser:
    """Options that stand before or after the verb. Suppressed defaults let either place win."""
    common = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    group = common.add_argument_group("common options")
    group.add_argument(
        "--state",
        type=values.path,
        metavar="DIR",
        help="state folder (default: $ORCHESTRATOR_STATE, else beside the plan)",
    )
    group.add_argument("--log-level", choices=["debug", "info", "warning", "error"], help="default: info")
    group.add_argument("--log-format", choices=["json", "console", "auto"], help="default: auto")
    group.add_argument("--log-file", type=values.path, metavar="FILE", help="log there instead of to stderr")
    group.add_argument("--no-progress", action="store_true", help="no live display on a terminal")
    group.add_argument("--quiet", action="store_true", help="print nothing on exit 0, 4 and 5: for cron")
    return common


def _verb(verbs: Any, name: str, text: str, *, plan: bool = True, epilog: str | None = None) -> Any:
    verb = verbs.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[_common()],
        argument_default=argparse.SUPPRESS,
    )
    if plan:
        verb.add_argument("plan", type=values.path, metavar="PLAN", help="the plan file")
        _add_simulation(verb)
    return verb


def _add_simulation(verb: Any) -> None:
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


def _add_preview(verb: Any) -> None:
    verb.add_argument("--format", choices=["table", "json"], help="of the preview (default: table)")
    verb.add_argument("--set", action="append", type=values.override, metavar="KEY=VALUE", help="set a key of the plan")


def _add_session(verb: Any) -> None:
    """What a session takes up and when it stops starting: the preview says what that comes to."""
    verb.add_argument(
        "--until",
        metavar="HH:MM[ ZONE]|RFC3339",
        help="start nothing from then on; the host's local time, unless a zone is given",
    )
    verb.add_argument("--max-duration", metavar="50m", help="start nothing after so long")
    verb.add_argument("--wait", metavar="1h", help="wait in the process for windows and soaks this near (default: 1h)")
    verb.add_argument("--new", action="store_true", help="end the unfinished run and begin a new one")
    verb.add_argument(
        "--only-outcome",
        type=values.outcomes,
        metavar="rejected,failed,…",
        help="begin a run with exactly the targets whose last outcome was one of these",
    )


def _add_plan(verbs: Any) -> None:
    verb = _verb(verbs, "plan", "preview: check the plan, read versions (GET only), show what would happen")
    verb.add_argument("--offline", action="store_true", help="no network at all")
    verb.add_argument("--forecast", action="store_true", help="rehearse the run: when it ends, and what holds it up")
    _add_session(verb)
    _add_preview(verb)


def _add_run(verbs: Any) -> None:
    verb = _verb(verbs, "run", "the job: begin the fleet's run, or go on with the unfinished one")
    verb.add_argument("--dry-run", action="store_true", help="the same as `plan`")
    verb.add_argument("--offline", action="store_true", help="with --dry-run: no network at all")
    verb.add_argument("--forecast", action="store_true", help="with --dry-run: rehearse the run")
    _add_session(verb)
    verb.add_argument("--report", type=values.path, metavar="FILE", help="an extra copy of the report")
    verb.add_argument(
        "--success-codes", type=values.codes, metavar="4,5", help="end with 0 instead of these exit codes"
    )
    _add_preview(verb)


def _add_readers(verbs: Any) -> None:
    status = _verb(verbs, "status", "where the run stands and what it waits for, also beside a running process")
    status.add_argument("proxy_id", nargs="?", metavar="PROXY_ID", help="everything that is known of one proxy")
    status.add_argument("--format", choices=["table", "json"], help="default: table")
    _verb(verbs, "runs", "all runs of the fleet, a line each")
    report = _verb(verbs, "report", "print the report of a run")
    report.add_argument("--run", dest="run_id", metavar="RUN_ID", help="default: the latest")
    report.add_argument("--format", choices=[*FORMS], help=f"default: {DEFAULT_FORM}")
    report.add_argument("--output", type=values.path, metavar="FILE", help="write it there instead of to stdout")


def _add_commands(verbs: Any) -> None:
    hold = _verb(verbs, "hold", "stop all starts of the fleet, also of a running process")
    hold.add_argument("--note", type=values.note, required=True, help="why; kept with user and time")
    release = _verb(verbs, "release", "let a held fleet go on, or approve a wave")
    release.add_argument("wave", nargs="?", metavar="WAVE", help="only this wave's approval")
    release.add_argument("--note", type=values.note, required=True, help="why; kept with user and time")
    settle = _verb(verbs, "settle", "decide what became of an open target")
    settle.add_argument("proxy_id", metavar="PROXY_ID")
    settle.add_argument("--outcome", required=True, choices=["succeeded", "failed", "not_sent"])
    settle.add_argument("--note", type=values.note, required=True, help="why; kept with user and time")
    claim = _verb(verbs, "claim", "hand a fleet, with its memory, over to a plan that was moved or renamed")
    claim.add_argument(
        "--from", dest="moved_from", type=values.path, required=True, metavar="OLD_PLAN", help="where the plan was"
    )


def _add_simulate(verbs: Any) -> None:
    verb = _verb(verbs, "simulate", "serve the simulated cloud on loopback until stopped", plan=False)
    verb.add_argument(
        "--port", type=values.port, help="0 (the default) for any; the address is the first line of stdout"
    )
    verb.add_argument("--seed", type=values.seed, help="all chance follows from this (default: 1)")
    verb.add_argument("--speed", type=values.speed, default=1.0, help="divides durations (default: 1)")
    verb.add_argument("--instances", type=values.count, help="number of DB instances (default: 20)")
    verb.add_argument("--proxies", type=values.count, help="Database Proxies on each (default: 2)")
    verb.add_argument("--project-id", help="default: made from the seed")
    verb.add_argument("--token", help="accepted as X-Auth-Token (default: made from the seed)")
    verb.add_argument("--user", help="accepted by IAM, with --password")
    verb.add_argument("--password")
    verb.add_argument("--access-key", help="accepted in signatures, with --secret-key")
    verb.add_argument("--secret-key")
    verb.add_argument(
        "--faults", type=values.file_name, metavar="none|light|harsh|FILE", default="none", help="default: none"
    )
    verb.add_argument("--write-plan", type=values.path, metavar="FILE", help="write a plan for exactly this fleet")
