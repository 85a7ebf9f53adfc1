"""A session that another host has left, gone on with here, and what is printed of it."""

import signal

from orchestrator.app.worker.take_over import kept_plan, take_over
from orchestrator.cli.options import Options
from orchestrator.cli.place import state_of
from orchestrator.cli.verbs.one_session import session_request, tell_of
from orchestrator.errors import ExitCode


def left_session(options: Options, fleet: str) -> ExitCode:
    """Stand by for a fleet, and go on where the host that works on it is gone."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until the session listens: the lock is let go of
    state = state_of(options)
    plan = kept_plan(state.fleet(fleet))
    if plan is None:
        return ExitCode.DONE
    lost: dict[str, str] = {}
    outcome = take_over(session_request(plan, options, lost))
    return ExitCode.DONE if outcome is None else tell_of(outcome, plan, options, lost)
