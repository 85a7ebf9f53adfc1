"""`orchestrator claim`: see `orchestrator.app.commands.give_command`."""

from orchestrator.app.commands.give_command import claim
from orchestrator.app.process.state_clock import state_clock
from orchestrator.cli.options import Options
from orchestrator.cli.place import plan_and_state
from orchestrator.cli.terminal import write
from orchestrator.errors import ExitCode

_TODO = "take it out of cron, and delete it, with any copy of the state that it still uses"


def run(options: Options) -> ExitCode:
    """Hand a fleet over to a plan that has moved."""
    plan, state = plan_and_state(options)
    claim(plan, state, options.moved_from, state_clock(state).now())
    if not options.quiet:
        write([f"fleet {plan.name} in {state} belongs to {plan.path} now, with all its runs"])
        if options.moved_from.exists():
            write([f"{options.moved_from} is still there, and refused from now on in this state: {_TODO}"])
    return ExitCode.DONE
