"""Who stands by for a fleet: each shows itself while it waits, for people who look. Nothing is decided by it."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from orchestrator.errors import StateError
from orchestrator.tracker.postgres.database import Database, NoTables
from orchestrator.tracker.postgres.serving.group_rows import Serving, servers
from orchestrator.tracker.served_groups import Standby

#: How often one that waits shows itself.
_SHOWS_EVERY_S = 2.0
#: Those who were killed are forgotten by the way, and after ten seconds nobody speaks of them any more.
_SHOW = """
with gone as (
  delete from orchestrator.standby where fleet = %(fleet)s and at < clock_timestamp() - interval '1 hour'
)
insert into orchestrator.standby (fleet, token, host, since, at)
values (%(fleet)s, %(token)s, %(host)s, clock_timestamp(), clock_timestamp())
on conflict (fleet, token) do update set at = excluded.at
"""
_HIDE = "delete from orchestrator.standby where fleet = %(fleet)s and token = %(token)s"
_SEE = """
select host, since, token from orchestrator.standby
where fleet = %(fleet)s and at > clock_timestamp() - interval '10 s' order by since, host
"""


class Waiting:
    """One process that stands by.

    Args:
        fleet: the name in the tables.
        host: for people.
        token: nobody else's.
        monotonic: seconds that never go back.
    """

    def __init__(
        self, database: Database, *, fleet: str, host: str, token: str, monotonic: Callable[[], float]
    ) -> None:
        self._database = database
        self._who = {"fleet": fleet, "host": host, "token": token}
        self._monotonic = monotonic
        self._shown_s: float | None = None

    def show(self) -> None:
        """Say that it is still there, when it has not said so lately."""
        now_s = self._monotonic()
        if self._shown_s is None or now_s - self._shown_s >= _SHOWS_EVERY_S:
            self._shown_s = now_s
            self._say(_SHOW)

    def hide(self) -> None:
        """Stand by no more. Where the database is away, nobody waits for it: one that is silent is soon forgotten."""
        if self._shown_s is not None and not self._database.away:
            self._shown_s = None
            self._say(_HIDE)

    def _say(self, statement: str) -> None:
        with suppress(StateError):  # the tables may be those of a version that did not have this one
            self._database.run(lambda connection: connection.execute(statement, self._who), patience_s=0.0)


def standbys(database: Database, fleet: str) -> list[Standby]:
    """Those who have shown themselves lately, the longest first; none where that cannot be read."""
    with suppress(StateError):
        rows = database.rows(_SEE, fleet=fleet)
        served = _served(database, fleet)
        return [_standby(host, since, served.get(token, ())) for host, since, token in rows]
    return []


def _served(database: Database, fleet: str) -> Mapping[str, Sequence[Serving]]:
    """Who serves, by token."""
    found = defaultdict[str, list[Serving]](list)
    with suppress(NoTables):  # those of a version that did not have this one: nobody serves
        for each in servers(database, fleet):
            found[each.token].append(each)
    return found


def _standby(host: str, since: datetime, served: Sequence[Serving]) -> Standby:
    return Standby(host, min((each.since for each in served), default=since), tuple(each.group for each in served))
