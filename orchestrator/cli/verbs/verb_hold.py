"""`orchestrator hold`: see `orchestrator.app.commands.give_command`."""

from orchestrator.app.commands.give_command import hold
from orchestrator.app.process.state_clock import state_clock
from orchestrator.cli.options import Options
from orchestrator.cli.place import fleet_and_state
from orchestrator.cli.terminal import write
from orchestrator.errors import ExitCode


def run(options: Options) -> ExitCode:
    """Stop all starts."""
    plan, state = fleet_and_state(options)
    before = hold(plan, state, options.note, state_clock(state).now())
    if not options.quiet:
        write([f"fleet {plan.name} is held: nothing starts until `release`; what is open is followed to its end"])
        write([before] if before else [])
    return ExitCode.DONE
