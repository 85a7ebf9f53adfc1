"""`orchestrator limit`: see `orchestrator.app.commands.give_command`."""

from orchestrator.app.commands.give_command import limit
from orchestrator.app.process.state_clock import state_clock
from orchestrator.cli.options import Options
from orchestrator.cli.place import fleet_and_state
from orchestrator.cli.terminal import write
from orchestrator.errors import ExitCode, UsageError
from orchestrator.planner.plan_file.limit_words import limit_change


def run(options: Options) -> ExitCode:
    """Change limits, or let the plan's hold again."""
    change = limit_change(options.changes)
    if options.reset == bool(change.named):
        wrong = "either the limits to change, or --reset"
        raise UsageError(f"limit: expected {wrong}", hint="such as: orchestrator limit PLAN in_flight=4 --note TEXT")
    plan, state = fleet_and_state(options)
    limit(plan, state, change, options.note, state_clock(state).now())
    if not options.quiet:
        what = f"{change}, until `limit --reset`" if change.named else "the plan's limits hold again"
        write([f"fleet {plan.name}: {what}; a running process takes it in within a second, else the next `run`"])
    return ExitCode.DONE
