"""The rows that say who serves which group of scopes.

A row counts only for the holder of the fleet's lock that has asked for it. `epoch` counts who has had the group, and
what a server adds to the log says which one he is. Whoever adds locks the key of his rows, which lets a beat pass;
whoever takes a group locks all of its row, and so waits for what is being added.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from orchestrator.tracker.postgres.database import Connection, Database
from orchestrator.tracker.postgres.serving.watched_silence import DEAD_S

_LOCK_FLEET = "select 1 from orchestrator.fleet where fleet = %(fleet)s for share"
_LOCK_ALL = "select 1 from orchestrator.serving where fleet = %(fleet)s order by grp for update"
_HOLDS = "exists (select from orchestrator.fleet where fleet = %(fleet)s and epoch = %(lead)s)"
#: What this holder has asked for before stays as it is: somebody may serve it.
_WANT = f"""
insert into orchestrator.serving (fleet, grp, lead_epoch)
select %(fleet)s, grp, %(lead)s from unnest(%(groups)s::text[]) as wanted (grp) where {_HOLDS}
on conflict (fleet, grp) do update
set lead_epoch = excluded.lead_epoch, epoch = serving.epoch + 1, host = null, token = null
where serving.lead_epoch is distinct from excluded.lead_epoch
"""  # noqa: S608  # constants
#: No holder has this number.
_WANT_NO_MORE = f"""
update orchestrator.serving set lead_epoch = 0, epoch = epoch + 1, host = null, token = null
where fleet = %(fleet)s and not grp = any(%(groups)s) and {_HOLDS}
"""  # noqa: S608  # constants
_WANTED = """
select grp, epoch, token, at from orchestrator.serving where fleet = %(fleet)s and lead_epoch = %(lead)s order by grp
"""
_LOCK_ONE = "select 1 from orchestrator.serving where fleet = %(fleet)s and grp = %(group)s for update"
_TAKE = """
update orchestrator.serving
set epoch = epoch + 1, host = %(host)s, token = %(token)s, since = clock_timestamp(), at = clock_timestamp()
where fleet = %(fleet)s and grp = %(group)s and lead_epoch = %(lead)s and epoch = %(epoch)s
  and (token is null or %(silent)s)
"""
BEAT = "update orchestrator.serving set at = clock_timestamp() where fleet = %(fleet)s and token = %(token)s"
_LEAVE = "update orchestrator.serving set host = null, token = null where fleet = %(fleet)s and token = %(token)s"
_SERVERS = """
select s.grp, s.host, s.token, s.since from orchestrator.serving s
join orchestrator.fleet f on f.fleet = s.fleet and f.epoch = s.lead_epoch and f.holder is not null
where s.fleet = %(fleet)s and s.token is not null and s.at > clock_timestamp() - make_interval(secs => %(dead_s)s)
order by s.grp
"""


class WantedGroup(NamedTuple):
    """A group that the one that works wants served. No token: it is free."""

    group: str
    epoch: int
    token: str | None
    at: datetime | None


class Serving(NamedTuple):
    """Who serves a group, and since when."""

    group: str
    host: str
    token: str
    since: datetime


class Taker(NamedTuple):
    """Who serves: `fleet` is the name in the tables, `token` nobody else's."""

    fleet: str
    host: str
    token: str


def want(database: Database, fleet: str, lead: int, groups: Collection[str]) -> None:
    """Have these groups served for the holder with the epoch `lead`, and no others; not when he is none any more.

    Raises:
        StateError: the database cannot be used, or has no such table.
    """
    values = {"fleet": fleet, "lead": lead, "groups": sorted(groups)}
    database.run(lambda connection: _run(connection, (_LOCK_FLEET, _LOCK_ALL, _WANT, _WANT_NO_MORE), values))


def wanted(database: Database, fleet: str, lead: int, *, patience_s: float) -> list[WantedGroup]:
    """What the holder of the fleet wants served.

    Raises:
        StateError: as `want`.
    """

    def read(connection: Connection) -> list[Any]:
        return connection.execute(_WANTED, {"fleet": fleet, "lead": lead}).fetchall()

    return [WantedGroup(*row) for row in database.run(read, patience_s=patience_s)]


def take(database: Database, taker: Taker, lead: int, free: WantedGroup, *, patience_s: float) -> None:
    """Take a group that was seen to be free, or its server silent for too long, unless somebody was faster.

    What `wanted` says afterwards tells.

    Raises:
        StateError: as `want`.
    """
    silent = free.token is not None
    values = {**taker._asdict(), "lead": lead, "group": free.group, "epoch": free.epoch, "silent": silent}
    database.run(lambda connection: _run(connection, (_LOCK_ONE, _TAKE), values), patience_s=patience_s)


def leave(database: Database, taker: Taker) -> None:
    """Serve nothing any more. Where the database is away, others wait for the silence.

    Raises:
        StateError: as `want`.
    """
    database.run(lambda connection: _run(connection, (_LEAVE,), taker._asdict()), patience_s=0.0)


def servers(database: Database, fleet: str) -> list[Serving]:
    """Who serves what, of those who have shown themselves lately.

    Raises:
        StateError: as `want`.
    """
    return [Serving(*row) for row in database.rows(_SERVERS, fleet=fleet, dead_s=DEAD_S)]


def _run(connection: Connection, statements: Collection[str], values: dict[str, Any]) -> None:
    with connection.transaction():
        for statement in statements:
            connection.execute(statement, values)
