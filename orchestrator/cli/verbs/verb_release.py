"""`orchestrator release`: see `orchestrator.app.commands.give_command`."""

from orchestrator.app.commands.give_command import release
from orchestrator.app.process.state_clock import state_clock
from orchestrator.cli.options import Options
from orchestrator.cli.place import fleet_and_state
from orchestrator.cli.terminal import write
from orchestrator.errors import ExitCode


def run(options: Options) -> ExitCode:
    """Let the fleet, or one wave, go on."""
    plan, state = fleet_and_state(options)
    needless = release(plan, state, options.wave, options.note, state_clock(state).now())
    if needless is not None and not options.quiet:
        write([f"{needless}; nothing was recorded"])
    elif not options.quiet:
        what = f"wave {options.wave} of fleet {plan.name}" if options.wave else f"fleet {plan.name}"
        done = "approved" if options.wave else "released"
        write([f"{what} is {done}; a running process goes on within a second, else the next `run`"])
    return ExitCode.DONE
