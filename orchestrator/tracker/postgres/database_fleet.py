"""A fleet in the tables: its lock, its runs, its commands and to which plan file its name belongs."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zlib import crc32

import msgspec

from orchestrator.errors import UsageError
from orchestrator.model.plan.commands import Command
from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.target import Target
from orchestrator.model.record.record import RunStarted
from orchestrator.model.written.writable import encoded
from orchestrator.tracker.fleet_name import expect_owner_before, refuse_other
from orchestrator.tracker.postgres.database import Connection, NoTables
from orchestrator.tracker.postgres.database_run import DatabaseRun, write_run
from orchestrator.tracker.postgres.host_clock import expect_clock
from orchestrator.tracker.postgres.lease import Candidate, holding, look
from orchestrator.tracker.postgres.rows import content
from orchestrator.tracker.postgres.seat import Seat
from orchestrator.tracker.postgres.serving.group_rows import servers, want
from orchestrator.tracker.postgres.serving.standby import standbys
from orchestrator.tracker.served_groups import StandBy, Standby
from orchestrator.tracker.state_store import State

_commands: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)
_ENTER = "insert into orchestrator.fleet (fleet) values (%(fleet)s) on conflict do nothing"
_GIVE = """
with taken as (
  update orchestrator.fleet set commands = commands + 1 where fleet = %(fleet)s
    and not exists (select from orchestrator.command where fleet = %(fleet)s and nonce = %(nonce)s)
  returning commands
)
insert into orchestrator.command (fleet, number, nonce, body, crc)
select %(fleet)s, commands, %(nonce)s, %(body)s, %(crc)s from taken
"""


class DatabaseFleet(msgspec.Struct, frozen=True):
    """A fleet by its name."""

    name: str
    state: State
    seat: Seat

    @property
    def _key(self) -> str:
        return self.seat.key_of(self.name)

    def exists(self) -> bool:
        return self._row("select 1 from orchestrator.fleet where fleet = %(fleet)s") is not None

    def owner(self) -> Path | None:
        row = self._row("select owner from orchestrator.fleet where fleet = %(fleet)s")
        return None if row is None or row[0] is None else Path(row[0])

    def expect_owner(self, plan_path: Path) -> None:
        owner = self.owner()
        if owner is not None:
            refuse_other(self.name, owner, plan_path, self.state.options(plan_path))

    def claim(self, plan_path: Path) -> None:
        self.expect_owner(plan_path)
        self._own(plan_path)

    def hand_over(self, before: Path, now: Path) -> None:
        owner = self.owner()
        if owner is None:
            raise UsageError(f"{now}: there is no fleet {self.name} in {self.state}", hint="see --state")
        expect_owner_before(self.name, owner, before, now)
        self._own(now)

    @contextmanager
    def lock(self, since: datetime, *, stands_by: StandBy | None = None) -> Iterator[None]:
        seat = self.seat
        candidate = Candidate(
            self._key,
            self._words(since),
            seat.host,
            seat.new_token(),
            seat.monotonic,
            seat.pause,
            partial(expect_clock, seat.database, seat.wall),
        )
        with holding(seat.database, candidate, stands_by=stands_by) as epoch, seat.database.patiently():
            seat.epochs[self._key] = epoch
            try:
                yield
            finally:
                del seat.epochs[self._key]

    def _words(self, came_at: datetime) -> Callable[[], str]:
        """This process, with when it takes the place: it may have stood by for hours."""
        seat, came_s = self.seat, self.seat.monotonic()

        def words() -> str:
            since = came_at + timedelta(seconds=round(seat.monotonic() - came_s))
            return f"process {seat.pid} on {seat.host}, since {since.isoformat(timespec='seconds')}"

        return words

    def holder(self) -> str | None:
        held = look(self.seat.database, self._key)
        return held.words if held is not None and held.lives else None

    def want_served(self, groups: Collection[str]) -> None:
        with suppress(NoTables):  # those of a version that did not have this one: nobody serves
            want(self.seat.database, self._key, self.seat.epoch(self._key), groups)

    def servers(self) -> Mapping[str, str]:
        with suppress(NoTables):
            return {each.group: each.host for each in servers(self.seat.database, self._key)}
        return {}

    def standbys(self) -> Sequence[Standby]:
        return standbys(self.seat.database, self._key)

    def runs(self) -> Sequence[DatabaseRun]:
        wanted = 'select run, run_id from orchestrator.run where fleet = %(fleet)s order by run_id collate "C"'
        return [DatabaseRun(number, run_id, self, self.seat) for number, run_id in self._rows(wanted)]

    def begin(self, plan: Plan, targets: Iterable[Target], first: RunStarted) -> DatabaseRun:
        def make(connection: Connection) -> int:
            connection.execute(_ENTER, {"fleet": self._key})
            return write_run(connection, self._key, self.seat.host, plan, targets, first)

        return DatabaseRun(self.seat.database.once(make), first.run_id, self, self.seat)

    def give(self, command: Command) -> int:
        body, nonce = encoded(command), self.seat.new_token()
        values = {"fleet": self._key, "nonce": nonce, "body": body, "crc": crc32(body)}

        def add(connection: Connection) -> int:
            with connection.transaction():
                connection.execute(_ENTER, values)
                connection.execute("select 1 from orchestrator.fleet where fleet = %(fleet)s for update", values)
                connection.execute(_GIVE, values)
                row = connection.execute(
                    "select number from orchestrator.command where fleet = %(fleet)s and nonce = %(nonce)s", values
                ).fetchone()
            return int(str(row[0])) if row is not None else 0

        return self.seat.database.run(add)

    def inbox(self) -> "DatabaseInbox":
        return DatabaseInbox(self)

    def commands(self, after: int) -> list[tuple[int, Command]]:
        """Those with a higher number."""
        wanted = (
            "select number, body, crc from orchestrator.command where fleet = %(fleet)s and number > %(after)s "
            "order by number"
        )
        rows = self._rows(wanted, after=after)
        place = f"{self.state}/{self._key}/commands"
        return [(number, content(_commands, f"{place}:{number}", body, crc)) for number, body, crc in rows]

    def notices(self) -> bytes | None:
        row = self._row("select notices from orchestrator.fleet where fleet = %(fleet)s")
        return None if row is None else row[0]

    def keep_notices(self, content: bytes) -> None:
        self._rows("update orchestrator.fleet set notices = %(content)s where fleet = %(fleet)s", content=content)

    def _own(self, plan_path: Path) -> None:
        owns = (
            "insert into orchestrator.fleet (fleet, owner) values (%(fleet)s, %(owner)s) "
            "on conflict (fleet) do update set owner = excluded.owner"
        )
        self._rows(owns, owner=str(plan_path.absolute()))

    def _row(self, wanted: str) -> tuple[Any, ...] | None:
        rows = self._rows(wanted)
        return rows[0] if rows else None

    def _rows(self, wanted: str, **values: object) -> list[tuple[Any, ...]]:
        return self.seat.database.rows(wanted, fleet=self._key, **values)


class DatabaseInbox:
    """The commands of a fleet, for one reader."""

    def __init__(self, fleet: DatabaseFleet) -> None:
        self._fleet = fleet
        self._seen = 0

    def new(self, after: int = 0) -> list[tuple[int, Command]]:
        found = self._fleet.commands(max(self._seen, after))
        self._seen = max((number for number, _ in found), default=self._seen)
        return found
