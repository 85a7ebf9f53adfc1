"""Which host works on a fleet, which serve scopes of it or stand by, and who went on last where one was gone."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from orchestrator.model.plan.plan import Scope
from orchestrator.model.plan.served_group import group_of
from orchestrator.model.record.record import SessionStarted
from orchestrator.model.run.hosts import Takeover
from orchestrator.model.run.run import Run
from orchestrator.tracker.served_groups import Standby
from orchestrator.tracker.state_store import Fleet


class HostStatus(Struct, frozen=True, kw_only=True):
    """What a host does for the fleet."""

    name: str
    state: Annotated[
        Literal["works", "serves", "stands_by"],
        Meta(description="serves: it upgrades in scopes that the one that works may not serve, and stands by for it"),
    ]
    since: datetime
    scopes: Annotated[list[str], Meta(description="Those that it serves")] = []


class TakeoverStatus(Struct, frozen=True, kw_only=True):
    """A host went on where another one was gone."""

    at: datetime
    host: Annotated[str, Meta(description="The one that went on")]
    before: Annotated[str, Meta(description="The one that was gone")]
    lost: Annotated[bool, Meta(description="That one was killed or stood still; false: it was told to stop")]


def host_statuses(run: Run, fleet: Fleet, scopes: Sequence[Scope], *, working: bool) -> list[HostStatus]:
    """The hosts of a fleet, the one that works first.

    Args:
        run: the latest run.
        fleet: whose it is.
        scopes: of the plan that is in force.
        working: whether a process works on the fleet.
    """
    session = run.sessions[-1] if working and run.sessions and run.session_ended is None else None
    return [
        *([] if session is None else [_at_work(session, scopes, shared=fleet.state.host is not None)]),
        *(_standing_by(each, scopes) for each in fleet.standbys()),
    ]


def _at_work(session: SessionStarted, scopes: Sequence[Scope], *, shared: bool) -> HostStatus:
    serves = [scope.name for scope in scopes if scope.served_by(session.host if shared else None)]
    return HostStatus(name=session.host, state="works", since=session.at, scopes=serves)


def _standing_by(standby: Standby, scopes: Sequence[Scope]) -> HostStatus:
    serves = [scope.name for scope in scopes if group_of(scope) in standby.groups]
    state: Literal["serves", "stands_by"] = "serves" if standby.groups else "stands_by"
    return HostStatus(name=standby.host, state=state, since=standby.since, scopes=serves)


def takeover_status(run: Run) -> TakeoverStatus | None:
    """The latest takeover of a run."""
    latest = run.hosts.takeover
    if latest is None:
        return None
    return TakeoverStatus(at=latest.at, host=latest.now, before=latest.before, lost=latest.lost)


def host_lines(run: Run, fleet: Fleet, scopes: Sequence[Scope], *, working: bool) -> Iterator[str]:
    """The same for people; nothing where one host alone has to do with the fleet."""
    takeover, hosts = run.hosts.takeover, host_statuses(run, fleet, scopes, working=working)
    if takeover is None and all(each.state == "works" for each in hosts):
        return
    yield "hosts:"
    for each in hosts:
        served = f" {', '.join(each.scopes)}" if each.state == "serves" else ""
        yield f"  {each.name} {each.state.replace('_', ' ')}{served} since {each.since:%Y-%m-%d %H:%M:%SZ}"
    if takeover is not None:
        yield f"  {_words(takeover)}"


def _words(takeover: Takeover) -> str:
    how = "was lost" if takeover.lost else "was told to stop"
    return f"{takeover.now} went on at {takeover.at:%Y-%m-%d %H:%M:%SZ} where {takeover.before} {how}"
