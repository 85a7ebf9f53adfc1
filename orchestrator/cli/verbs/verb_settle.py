"""`orchestrator settle`: see `orchestrator.app.commands.give_command`."""

from orchestrator.app.commands.give_command import settle
from orchestrator.app.process.state_clock import state_clock
from orchestrator.app.status.fleet_status import find_stored
from orchestrator.app.status.one_proxy.named_target import named_target
from orchestrator.cli.options import Options
from orchestrator.cli.place import fleet_and_state
from orchestrator.cli.terminal import write
from orchestrator.errors import ExitCode


def run(options: Options) -> ExitCode:
    """Decide an open target."""
    plan, state = fleet_and_state(options)
    proxy_id = named_target(find_stored(state, plan), options.proxy_id)
    counts = settle(plan, state, proxy_id, options.outcome, options.note, state_clock(state).now())
    if not options.quiet:
        when = "the report tells it" if counts else "the running process takes it up within a second"
        write([f"{proxy_id}: settled as {options.outcome}; {when}"])
    return ExitCode.DONE
