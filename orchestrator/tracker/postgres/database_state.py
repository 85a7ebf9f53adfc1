"""The state in a database: the port `State` over tables that several hosts share."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path

import msgspec

from orchestrator.clock import SystemClock
from orchestrator.errors import StateError
from orchestrator.host import machine_name
from orchestrator.model.learned.known_rate import KnownRate
from orchestrator.tracker.fleet_name import expect_fleet_name
from orchestrator.tracker.folder.ownership import check_folder
from orchestrator.tracker.folder.rate_file import RateFile
from orchestrator.tracker.postgres.database import Connection, Database, how_to_make_tables
from orchestrator.tracker.postgres.database_fleet import DatabaseFleet
from orchestrator.tracker.postgres.fleets_under_way import under_way
from orchestrator.tracker.postgres.host_clock import clock_ahead, expect_clock
from orchestrator.tracker.postgres.hosts_rate import HostsRate
from orchestrator.tracker.postgres.prune import prune
from orchestrator.tracker.postgres.seat import Seat
from orchestrator.tracker.postgres.tables import expect_version, make_tables, missing, not_durable, standby_remarks
from orchestrator.tracker.state_store import DiskTrial
from orchestrator.tracker.workflow_store import Teller

_known = msgspec.json.Decoder(KnownRate)
_BEGIN = "pg_try_advisory_lock(hashtext('orchestrator begins a run'))"
_PAUSE_S = 0.1
_NEW_WORKFLOWS = """
select r.run, r.next_seq, w.workflow_id from orchestrator.run r
left join orchestrator.workflow w
  on w.run = r.run and not w.stray and w.seq > coalesce((%(ends)s::jsonb ->> r.run::text)::bigint, 0)
where r.next_seq > coalesce((%(ends)s::jsonb ->> r.run::text)::bigint, 0) + 1
"""
_TELLER = """
select r.fleet, r.run_id, w.target, w.seq from orchestrator.workflow w join orchestrator.run r on r.run = w.run
where lower(w.workflow_id) = %(workflow)s and not w.stray order by w.run, w.seq limit 1
"""


#: Those that belong to a plan at least: a look alone makes a row too.
_FLEETS = """\
select fleet from orchestrator.fleet where owner is not null
union select fleet from orchestrator.run
"""


class DatabaseState(msgspec.Struct, frozen=True):
    """The state by its database.

    Attributes:
        words: what a command says to come here.
    """

    seat: Seat
    words: tuple[str, ...]

    def __str__(self) -> str:
        return str(self.seat.database)

    @property
    def host(self) -> str | None:
        return None if self.seat.simulated else self.seat.host

    def ahead(self) -> timedelta:
        return timedelta() if self.seat.simulated else clock_ahead(self.seat.database, self.seat.wall)

    def make_tables(self) -> None:
        """Make the tables that are missing.

        Raises:
            StateError: the database cannot be used, or a newer program has made them.
        """
        self.seat.database.run(make_tables)

    def faults(self) -> list[str]:
        """Why this database cannot be relied on.

        Raises:
            StateError: it is not reached, has no tables, or those of a newer program.
        """
        self.seat.database.run(expect_version)
        return self.seat.database.run(not_durable)

    def expect_clock(self) -> None:
        """This host's clock is not known to be too far from the database's.

        Raises:
            StateError: it is, or the database is not reached.
        """
        expect_clock(self.seat.database, self.seat.wall)

    def remarks(self) -> list[str]:
        """What an operator should know who relies on it."""
        database = self.seat.database
        missed = ", ".join(database.run(missing))
        older = f"an older version made the tables, and these are missing: {missed}; {how_to_make_tables(database)}"
        return [*([older] if missed else []), *database.run(standby_remarks)]

    def options(self, plan_path: Path) -> tuple[str, ...]:  # noqa: ARG002  # the same for every plan
        return (*self.words, *(("--simulate",) if self.seat.simulated else ()))

    def fleet(self, name: str, *, writes: bool = False) -> DatabaseFleet:  # noqa: ARG002  # the database knows who may
        expect_fleet_name(name)
        return DatabaseFleet(name, self, self.seat)

    def fleets(self) -> Sequence[DatabaseFleet]:
        prefix = self.seat.key_of("")
        rows = self.seat.database.rows(_FLEETS)
        names = sorted(row[0].removeprefix(prefix) for row in rows if row[0].startswith(prefix))
        return [DatabaseFleet(name, self, self.seat) for name in names if "/" not in name]

    def under_way(self, now: datetime) -> list[str]:
        """The fleets with a session that goes on, or that its host has just left to the next one, or to this one.

        Raises:
            StateError: the database cannot be used.
        """
        return under_way(self.seat.database, self.seat.host, now)

    def prune(self, before: datetime) -> list[tuple[str, str]]:
        """Remove runs that ended before an instant and that nothing asks for any more; each by its fleet and id.

        Raises:
            StateError: the database cannot be used.
        """
        return prune(self.seat.database, before)

    def try_write(self, monotonic: Callable[[], float]) -> DiskTrial:
        began_s = monotonic()

        def write(connection: Connection) -> None:
            with connection.transaction(force_rollback=True):
                connection.execute("insert into orchestrator.rate (key, body) values ('trial', '')")

        self.seat.database.run(write)
        return DiskTrial(monotonic() - began_s, None)

    @contextmanager
    def one_begins(self, *, patience_s: float = 60.0) -> Iterator[None]:
        # A connection of its own: the lock is the connection's, and free when that is closed.
        apart = self.seat.database.apart()
        try:
            self._wait_for(apart, patience_s)
            yield
        finally:
            apart.close()

    def _wait_for(self, apart: Database, patience_s: float) -> None:
        for _ in range(max(1, ceil(patience_s / _PAUSE_S))):
            if apart.rows(f"select {_BEGIN}")[0][0]:
                return
            self.seat.pause(_PAUSE_S)
        raise StateError(
            f"{self}: another fleet has been beginning a run for {patience_s:g} s",
            hint="see which host is beginning a run and does not come to its end, then run again",
        )

    def workflows(self) -> "DatabaseWorkflows":
        return DatabaseWorkflows(self)

    def rates(self) -> tuple[dict[str, KnownRate], str | None]:
        try:
            rows = self.seat.database.rows("select key, body from orchestrator.rate")
            return {key: _known.decode(body) for key, body in rows}, None
        except (StateError, msgspec.MsgspecError) as error:
            return {}, f"{self}: cannot be used, so rates are searched again: {error}"

    def shared_rate(
        self, key: str, *, creates: bool, monotonic: Callable[[], float], warn: Callable[[str], None]
    ) -> HostsRate:
        local = RateFile(_meeting_place() / f".rate-{key}", creates=creates, monotonic=monotonic, warn=warn)
        return HostsRate(local, self.seat.database.apart(), key=key, monotonic=monotonic, warn=warn)

    def add_rates(self, found: Mapping[str, KnownRate]) -> None:
        put = (
            "insert into orchestrator.rate (key, body) values (%(key)s, %(body)s) "
            "on conflict (key) do update set body = excluded.body"
        )
        for key, rate in found.items():
            self.seat.database.rows(put, key=key, body=msgspec.json.encode(rate))


def database_state(address: str, reports: Path, *, words: tuple[str, ...], simulated: bool, pid: int) -> DatabaseState:
    """The state by the address of its database.

    Args:
        address: as libpq understands it.
        reports: the folder of this host for reports.
        words: what a command says to come to it.
        simulated: whether it is that of simulated runs.
        pid: of this process.
    """
    database = Database(address, monotonic=SystemClock().monotonic)
    return DatabaseState(Seat(database, reports, simulated, machine_name(), pid), words)


class DatabaseWorkflows:
    """Every workflow_id of every run and fleet, for one reader."""

    def __init__(self, state: DatabaseState) -> None:
        self._state = state
        self._known: frozenset[str] = frozenset()
        self._ends: dict[int, int] = {}

    def known(self) -> frozenset[str]:
        ends = msgspec.json.encode({str(run): last for run, last in self._ends.items()}).decode()
        rows = self._state.seat.database.rows(_NEW_WORKFLOWS, ends=ends)
        for run, next_seq, _ in rows:
            self._ends[run] = next_seq - 1
        new = {workflow.lower() for _, _, workflow in rows if workflow is not None}
        if not new <= self._known:
            self._known |= new
        return self._known

    def teller(self, workflow: str) -> Teller | None:
        seat = self._state.seat
        for fleet, run_id, target, number in seat.database.rows(_TELLER, workflow=workflow):
            return Teller(fleet.removeprefix(seat.key_of("")), run_id, target or "", number)
        return None


def _meeting_place() -> Path:
    """Where the processes of this user on this host meet that keep a rate together."""
    folder = Path(tempfile.gettempdir()) / f"orchestrator-{os.geteuid()}"
    check_folder(folder, writes=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
