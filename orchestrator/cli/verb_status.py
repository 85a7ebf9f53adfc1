"""`orchestrator status`: where the run stands, or the story of one proxy."""

from itertools import chain

from orchestrator.app.status.fleet_status import find_run, standing, unread_commands
from orchestrator.app.status.target_history import life
from orchestrator.app.status.waits import target_lines
from orchestrator.cli.options import Options
from orchestrator.cli.place import plan_and_state
from orchestrator.cli.terminal import write
from orchestrator.clock import SystemClock
from orchestrator.errors import ExitCode


def run(options: Options) -> ExitCode:
    """Print what the journal says."""
    plan, state = plan_and_state(options)
    recovered = find_run(state, plan)
    if options.quiet:
        return ExitCode.DONE
    now = SystemClock().now()
    if options.proxy_id:
        waits = target_lines(recovered, unread_commands(recovered), options.proxy_id, now)
        write(chain(life(recovered.stored, options.proxy_id), waits))
    else:
        write(standing(recovered, now))
    return ExitCode.DONE
