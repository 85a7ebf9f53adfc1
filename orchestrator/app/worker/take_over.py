"""Standing by for one fleet, and going on where its host is gone: with what the run keeps, and nothing beside it.

Plan, targets and settings are those of the run; this host's environment gives the credentials. Nothing is begun.
"""

from contextlib import ExitStack
from datetime import datetime

from msgspec import structs

from orchestrator.app.process.state_clock import state_clock
from orchestrator.app.run.begin_or_resume import Opened, take_up, unfinished_run
from orchestrator.app.run.run_plan import RunRequest, SessionResult, go_on, standing_by
from orchestrator.app.run.take_place import take_place
from orchestrator.app.scopes.expect_credentials import expect_credentials
from orchestrator.executor.decide.waits import Cause, Wait
from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.settings import in_force
from orchestrator.model.run.run import Run
from orchestrator.tracker.runs.recovery import Recovered
from orchestrator.tracker.state_store import Fleet


def kept_plan(fleet: Fleet) -> Plan | None:
    """The plan in force in the fleet's latest run; None before the first.

    Raises:
        StateError: it cannot be read.
    """
    runs = fleet.runs()
    return in_force(runs[-1].plan(), runs[-1].settings()) if runs else None


def take_over(job: RunRequest) -> SessionResult | None:
    """Stand by until the host that works is gone, and run its session on; None when nothing was left.

    Args:
        job: `plan` as of `kept_plan`; what bounds it is that of the session that is gone on with.

    Raises:
        ScopeUnusable: this host has no credentials for any scope; it does not stand by.
        FleetLocked: the session of the other host came to its end.
        StateError: the state cannot be used.
    """
    expect_credentials(job.plan, job.environ, job.state.host)
    fleet = job.state.fleet(job.plan.name, writes=True)
    with ExitStack() as stack:
        take_place(fleet, job.now, stack, standing_by(job, fleet))
        latest = unfinished_run(fleet)
        if latest is None or not _was_left(latest.run, job.state.host):
            return None
        now = state_clock(fleet.state).now()  # as those who have worked on it
        return go_on(_bounded(job, latest.run, now), _opened(latest))


def _was_left(run: Run, host: str | None) -> bool:
    """Whether the latest session is gone without an end of its own, or has left to this host what is left."""
    return run.session_ended is None or run.session_ended.goes_on_at(host)


def _bounded(job: RunRequest, run: Run, now: datetime) -> RunRequest:
    """What bounds the session that is gone bounds the one that goes on."""
    if not run.sessions:
        return structs.replace(job, now=now)
    gone = run.sessions[-1]
    rest_s = None if gone.ends_at is None else max(0.0, (gone.ends_at - now).total_seconds())
    return structs.replace(job, now=now, until=gone.until, longest_s=rest_s)


def _opened(latest: Recovered) -> Opened:
    """The run, and what bars it: a plan that was changed is known to the host that is gone alone."""
    opened = take_up(latest, latest.in_force)
    barred = Wait.recalled(latest.run.sessions[-1].barred) if latest.run.sessions else None
    return structs.replace(opened, changes=barred.facts) if barred and barred.cause is Cause.CHANGED else opened
