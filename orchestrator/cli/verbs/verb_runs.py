"""`orchestrator runs`: all runs of a fleet, a line each."""

from collections.abc import Sequence

import msgspec

from orchestrator.app.status.no_trace import no_trace
from orchestrator.app.status.run_list import Brief, brief, run_entry, run_lines
from orchestrator.cli.options import Options
from orchestrator.cli.place import plan_and_state
from orchestrator.cli.terminal import write, write_json
from orchestrator.errors import ExitCode
from orchestrator.host import path_of


def run(options: Options) -> ExitCode:
    """Print the runs, the latest first."""
    plan, state = plan_and_state(options)
    fleet = state.fleet(plan.name)
    fleet.expect_owner(path_of(plan.path))
    if not fleet.runs():
        raise no_trace(plan, state)
    briefs = [brief(run) for run in reversed(fleet.runs())]
    if not options.quiet:
        _show(briefs, options)
    return ExitCode.DONE


def _show(briefs: Sequence[Brief], options: Options) -> None:
    if options.format == "json":
        write_json(msgspec.json.format(msgspec.json.encode(list(map(run_entry, briefs)))).decode())
    else:
        write(run_lines(briefs))
