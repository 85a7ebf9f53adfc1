"""`orchestrator release`: see `orchestrator.app.commands.give_command`."""

from orchestrator.app.commands.give_command import release
from orchestrator.cli.options import Options
from orchestrator.cli.place import plan_and_state
from orchestrator.cli.terminal import write
from orchestrator.clock import SystemClock
from orchestrator.errors import ExitCode


def run(options: Options) -> ExitCode:
    """Let the fleet, or one wave, go on."""
    plan, state = plan_and_state(options)
    release(plan, state, options.wave, options.note, SystemClock().now())
    if not options.quiet:
        what = f"wave {options.wave} of fleet {plan.name}" if options.wave else f"fleet {plan.name}"
        write([f"{what} is released; a running process goes on within a second, else the next `run`"])
    return ExitCode.DONE
