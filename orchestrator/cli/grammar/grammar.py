"""The grammar of the command line: every verb with its words and options. `make words` writes what help says of it."""

from __future__ import annotations

import argparse
from functools import cache

from orchestrator import __version__
from orchestrator.cli.grammar import values
from orchestrator.cli.grammar.argument_parser import Parser, VerbParser
from orchestrator.cli.grammar.command_line import PROGRAM, VERSION
from orchestrator.cli.grammar.grammar_parts import NAMED, add_simulation, common_options, new_verb
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


@cache
def parser(verb: str | None = None) -> Parser:
    """The parser of a verb, or of all, made once: each takes as long to make as some modules to import."""
    program = Parser(
        prog=PROGRAM,
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[common_options()],
    )
    program.add_argument(VERSION, action="version", version=f"{PROGRAM} {__version__}")
    program.verbs = verbs = program.add_subparsers(
        dest="verb", metavar="VERB", required=True, parser_class=VerbParser, prog=PROGRAM
    )
    verbs.type = str  # the verb's own parser looks at each word
    for add in [_ADDED_BY[verb]] if verb else dict.fromkeys(_ADDED_BY.values()):
        add(verbs)
    return program


def _add_preview(verb: Any) -> None:
    verb.add_argument("--format", choices=["table", "json", "html"], help="of the preview (default: table)")
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
    verb = new_verb(verbs, "plan", "preview: check the plan, read versions (GET only), show what would happen")
    verb.add_argument("--offline", action="store_true", help="no network at all")
    verb.add_argument("--forecast", action="store_true", help="rehearse the run: when it ends, and what holds it up")
    verb.add_argument("--out", type=values.path, metavar="FILE", help="save it, for `run FILE` to run exactly that")
    _add_session(verb)
    _add_preview(verb)


def _add_run(verbs: Any) -> None:
    text = "the job: begin the fleet's run, or go on with the unfinished one"
    verb = new_verb(verbs, "run", text, plan_help="the plan file, or a preview that `plan --out` has saved")
    verb.add_argument("--dry-run", action="store_true", help="the same as `plan`")
    verb.add_argument("--offline", action="store_true", help="with --dry-run: no network at all")
    verb.add_argument("--forecast", action="store_true", help="with --dry-run: rehearse the run")
    verb.add_argument("--out", type=values.path, metavar="FILE", help="with --dry-run: save the preview")
    _add_session(verb)
    verb.add_argument("--report", type=values.path, metavar="FILE", help="an extra copy of the report")
    verb.add_argument(
        "--metrics", type=values.path, metavar="FILE", help="write metrics there, for node_exporter; before the plan's"
    )
    verb.add_argument(
        "--success-codes", type=values.codes, metavar="4,5", help="end with 0 instead of these exit codes"
    )
    _add_preview(verb)


def _add_status(verbs: Any) -> None:
    verb = new_verb(
        verbs, "status", "where the run stands and what it waits for, also beside a running process", plan="perhaps"
    )
    verb.add_argument("proxy_id", nargs="?", metavar="PROXY_ID", help=f"everything that is known of one proxy; {NAMED}")
    verb.add_argument("--format", choices=["table", "json"], help="default: table")
    verb.add_argument("--watch", action="store_true", help="again and again, until the run's process ends")
    verb.add_argument("--raw", action="store_true", help="of a proxy: its records as the journal has them")


def _add_runs(verbs: Any) -> None:
    verb = new_verb(verbs, "runs", "all runs of the fleet, a line each")
    verb.add_argument("--format", choices=["table", "json"], help="default: table")


def _add_report(verbs: Any) -> None:
    verb = new_verb(verbs, "report", "print the report of a run, or compare two runs")
    verb.add_argument("--run", dest="run_id", metavar="RUN_ID", help="default: the latest")
    verb.add_argument("--compare", metavar="RUN_ID", help="what changed between that run and this one")
    verb.add_argument("--format", choices=[*FORMS], help=f"default: {DEFAULT_FORM}")
    verb.add_argument("--output", type=values.path, metavar="FILE", help="write it there instead of to stdout")


def _add_hold(verbs: Any) -> None:
    verb = new_verb(verbs, "hold", "stop all starts of the fleet, also of a running process")
    verb.add_argument("--note", type=values.note, required=True, help="why; kept with user and time")


def _add_release(verbs: Any) -> None:
    verb = new_verb(verbs, "release", "let a held fleet go on, or approve a wave")
    verb.add_argument("wave", nargs="?", metavar="WAVE", help="only this wave's approval")
    verb.add_argument("--note", type=values.note, required=True, help="why; kept with user and time")


def _add_limit(verbs: Any) -> None:
    verb = new_verb(verbs, "limit", "change limits of the fleet, also of a running process")
    verb.add_argument(
        "changes",
        nargs="*",
        default=(),  # a suppressed default would be taken for a word
        metavar="KEY=VALUE",
        help="in_flight=4, rate=5/s, concurrency=5, per_window=100",
    )
    verb.add_argument("--reset", action="store_true", help="let the limits of the plan hold again")
    verb.add_argument("--note", type=values.note, required=True, help="why; kept with user and time")


def _add_settle(verbs: Any) -> None:
    verb = new_verb(verbs, "settle", "decide what became of an open target")
    verb.add_argument("proxy_id", metavar="PROXY_ID", help=NAMED)
    verb.add_argument("--outcome", required=True, choices=["succeeded", "failed", "not_sent"])
    verb.add_argument("--note", type=values.note, required=True, help="why; kept with user and time")


def _add_claim(verbs: Any) -> None:
    verb = new_verb(verbs, "claim", "hand a fleet, with its memory, over to a plan that was moved or renamed")
    verb.add_argument(
        "--from", dest="moved_from", type=values.path, required=True, metavar="OLD_PLAN", help="where the plan was"
    )


def _add_simulate(verbs: Any) -> None:
    verb = new_verb(verbs, "simulate", "serve the simulated cloud on loopback until stopped", plan=False)
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
    verb.add_argument(
        "--regression",
        action="append",
        metavar="METRIC=+N%@VERSION",
        help="metric that is another under a version, such as response=+20%%@2.24.03.000",
    )
    verb.add_argument("--write-plan", type=values.path, metavar="FILE", help="write a plan for exactly this fleet")


def _add_explain(verbs: Any) -> None:
    verb = new_verb(verbs, "explain", "what a key of the plan means, what it takes, its default", plan=False)
    verb.add_argument("key", nargs="?", metavar="KEY", help="such as limits.in_flight; without it, the top level")


def _add_init(verbs: Any) -> None:
    verb = new_verb(verbs, "init", "ask the cloud for its proxies, and write a commented plan for them to PLAN")
    verb.add_argument("--region", metavar="REGION", help="such as cn-north-4")
    verb.add_argument("--project-id", metavar="ID", help="default: the project of that region, looked up")
    verb.add_argument("--endpoint", metavar="URL", help="default: that of the region")


def _add_doctor(verbs: Any) -> None:
    verb = new_verb(verbs, "doctor", "look whether everything that a night needs is there; sends no upgrade")
    verb.add_argument("--format", choices=["table", "json"], help="default: table")


def _add_notify(verbs: Any) -> None:
    verb = new_verb(verbs, "notify", "send a test event to every receiver of the plan", plan=False)
    verb.add_argument("what", choices=["test"], metavar="test", help="says that something is sent")
    verb.add_argument("plan", type=values.path, metavar="PLAN", help="the plan file")
    add_simulation(verb)


def _add_schema(verbs: Any) -> None:
    verb = new_verb(verbs, "schema", "print a JSON Schema, for editors and checkers", plan=False)
    verb.add_argument("what", choices=["plan", "report", "comparison", "status", "runs", "doctor"])


def _add_worker(verbs: Any) -> None:
    text = "stand by for every fleet of a database that hosts share, and go on where another host is gone"
    verb = new_verb(verbs, "worker", text, plan=False)
    verb.add_argument("--name", metavar="NAME", help="of this host (default: $ORCHESTRATOR_HOST, else its own name)")
    verb.add_argument("--once", action="store_true", help="end when no session is under way")
    verb.add_argument("--fleet", metavar="FLEET", help="stand by for this one alone, and only for its present session")


def _add_state(verbs: Any) -> None:
    verb = new_verb(verbs, "state", "make, check and fill the tables of a state that several hosts share", plan=False)
    verb.add_argument("what", choices=["init", "check", "export", "import", "prune"])
    verb.add_argument("first", nargs="?", metavar="RUN_ID|DIR", help="export: the run; import: the state folder")
    verb.add_argument("second", nargs="?", metavar="DIR", help="export: the state folder to write it into")
    verb.add_argument("--print", dest="print_only", action="store_true", help="of init: print the statements for a DBA")
    verb.add_argument("--keep", metavar="400d", help="of prune: how long runs that have ended are kept (default: 400d)")


#: What adds each verb, in the order of the help text.
_ADDED_BY = {
    "plan": _add_plan,
    "run": _add_run,
    "status": _add_status,
    "runs": _add_runs,
    "report": _add_report,
    "hold": _add_hold,
    "release": _add_release,
    "limit": _add_limit,
    "settle": _add_settle,
    "claim": _add_claim,
    "init": _add_init,
    "doctor": _add_doctor,
    "notify": _add_notify,
    "simulate": _add_simulate,
    "explain": _add_explain,
    "schema": _add_schema,
    "state": _add_state,
    "worker": _add_worker,
}
