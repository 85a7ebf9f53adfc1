"""Which host works on a fleet, which stand by for it, and who went on last where another one was gone."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from orchestrator.model.run.hosts import Takeover
from orchestrator.model.run.run import Run
from orchestrator.tracker.state_store import Standby


class HostStatus(Struct, frozen=True, kw_only=True):
    """What a host does for the fleet."""

    name: str
    state: Literal["works", "stands_by"]
    since: datetime


class TakeoverStatus(Struct, frozen=True, kw_only=True):
    """A host went on where another one was gone."""

    at: datetime
    host: Annotated[str, Meta(description="The one that went on")]
    before: Annotated[str, Meta(description="The one that was gone")]
    lost: Annotated[bool, Meta(description="That one was killed or stood still; false: it was told to stop")]


def host_statuses(run: Run, standbys: Sequence[Standby], *, working: bool) -> list[HostStatus]:
    """The hosts of a fleet, the one that works first.

    Args:
        run: the latest run.
        standbys: who stands by.
        working: whether a process works on the fleet.
    """
    session = run.sessions[-1] if working and run.sessions and run.session_ended is None else None
    at_work = [] if session is None else [HostStatus(name=session.host, state="works", since=session.at)]
    return [*at_work, *(HostStatus(name=each.host, state="stands_by", since=each.since) for each in standbys)]


def takeover_status(run: Run) -> TakeoverStatus | None:
    """The latest takeover of a run."""
    latest = run.hosts.takeover
    if latest is None:
        return None
    return TakeoverStatus(at=latest.at, host=latest.now, before=latest.before, lost=latest.lost)


def host_lines(run: Run, standbys: Sequence[Standby], *, working: bool) -> Iterator[str]:
    """The same for people; nothing where one host alone has to do with the fleet."""
    takeover = run.hosts.takeover
    if not standbys and takeover is None:
        return
    yield "hosts:"
    for each in host_statuses(run, standbys, working=working):
        yield f"  {each.name} {each.state.replace('_', ' ')} since {each.since:%Y-%m-%d %H:%M:%SZ}"
    if takeover is not None:
        yield f"  {_words(takeover)}"


def _words(takeover: Takeover) -> str:
    how = "was lost" if takeover.lost else "was told to stop"
    return f"{takeover.now} went on at {takeover.at:%Y-%m-%d %H:%M:%SZ} where {takeover.before} {how}"
