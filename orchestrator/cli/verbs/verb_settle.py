"""`orchestrator settle`: see `orchestrator.app.commands.give_command`."""

from orchestrator.app.commands.give_command import settle
from orchestrator.cli.options import Options
from orchestrator.cli.place import fleet_and_state
from orchestrator.cli.terminal import write
from orchestrator.clock import SystemClock
from orchestrator.errors import ExitCode


def run(options: Options) -> ExitCode:
    """Decide an open target."""
    plan, state = fleet_and_state(options)
    counts = settle(plan, state, options.proxy_id, options.outcome, options.note, SystemClock().now())
    if not options.quiet:
        when = "the report tells it" if counts else "the running process takes it up within a second"
        write([f"{options.proxy_id}: settled as {options.outcome}; {when}"])
    return ExitCode.DONE
