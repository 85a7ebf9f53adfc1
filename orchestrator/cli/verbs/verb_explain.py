"""`orchestrator explain`: what a key of the plan means."""

from orchestrator.cli.options import Options
from orchestrator.cli.terminal import write
from orchestrator.errors import ExitCode
from orchestrator.planner.plan_file.explain import explain


def run(options: Options) -> ExitCode:
    """Print what the plan's declaration says of the key."""
    write(explain(options.key))
    return ExitCode.DONE
