"""`orchestrator runs`: all runs of a fleet, a line each."""

from orchestrator.app.status.run_list import run_lines
from orchestrator.cli.options import Options
from orchestrator.cli.place import plan_and_state
from orchestrator.cli.terminal import write
from orchestrator.errors import ExitCode, UsageError
from orchestrator.host import path_of


def run(options: Options) -> ExitCode:
    """Print the table of runs."""
    plan, state = plan_and_state(options)
    fleet = state.fleet(plan.name)
    fleet.expect_owner(path_of(plan.path))
    if not fleet.runs():
        raise UsageError(f"{plan.path}: there is no trace of any run of fleet {plan.name} in {state}")
    lines = list(run_lines(fleet))
    if not options.quiet:
        write(lines)
    return ExitCode.DONE
