"""Scopes that cannot be used now, in words: which, why, and what ends it. Pure."""

from collections.abc import Iterator
from datetime import datetime

from orchestrator.app.status.why_closed import time_until
from orchestrator.model.run import Run
from orchestrator.model.status import ScopeStatus


def scope_lines(run: Run, now: datetime) -> Iterator[str]:
    """One line for each scope that is throttled, paused or given up."""
    told = ((scope.name, scope_words(scope, now)) for scope in run.scopes.values())
    yield from (f"scope {name}: {words}" for name, words in told if words is not None)


def scope_words(scope: ScopeStatus, now: datetime) -> str | None:
    """Why a scope cannot be used; None while it is open.

    Args:
        scope: as the journal tells it.
        now: by the clock of the session.
    """
    standing = scope.standing(now)
    match standing.state:
        case "throttled" if standing.until is not None:
            end = f"{standing.until:%Y-%m-%d %H:%M:%S} UTC (in {time_until(standing.until, now)})"
            probes = ", one probe an hour" if scope.probe_at else ""
            return f"throttled, the cloud asks for a pause until {end}{probes}: {standing.reason}"
        case "paused":
            return f"paused, one probe at a time asks whether it is back: {standing.reason}"
        case "given_up":
            return f"given up for this session, the next start tries again: {standing.reason}"
        case _:
            return None
