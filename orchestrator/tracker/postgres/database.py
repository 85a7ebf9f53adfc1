"""Connections to the database, as many as are used at once, and what its failures mean. Synchronous.

What is lost with a connection is tried again on a new one. So only what may be done twice goes through `Database.run`:
what reads, and what recognises that it is done already.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from shlex import quote
from threading import Event
from typing import Any, TypeAlias, TypeVar

import psycopg
from psycopg import errors

from orchestrator.errors import StateError
from orchestrator.tracker.postgres.address import without_password

T = TypeVar("T")
Connection: TypeAlias = psycopg.Connection[tuple[object, ...]]
Work: TypeAlias = Callable[[Connection], T]

#: How long a verb tries to reach the database, and a session that works on a fleet.
VERB_PATIENCE_S, SESSION_PATIENCE_S = 10.0, 900.0
_CONNECT_S = 5
_PAUSE_S = 0.3
#: A statement that takes longer than this waits for something that has died.
_STATEMENT_MS = 60_000
#: A process that stands still in a transaction keeps its locks no longer.
_IDLE_MS = 8_000
_OPTIONS = (
    f"-c synchronous_commit=on -c timezone=UTC -c statement_timeout={_STATEMENT_MS}"
    f" -c idle_in_transaction_session_timeout={_IDLE_MS}"
)
#: A connection over which nothing comes any more is noticed within some ten seconds.
_ALIVE: dict[str, Any] = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}

#: Without these the database is not reached, or not just now.
_AWAY = (psycopg.OperationalError, psycopg.InterfaceError)
_NO_TABLES = (errors.UndefinedTable, errors.InvalidSchemaName)
_REACH = "see that it runs and that this host reaches it (psql '{place}'), then start again"


class NoTables(StateError):
    """The database lacks tables, or those that a newer program makes; exit 8."""


class Database:
    """A database by its address, for all threads of a process.

    Args:
        address: as libpq understands it.
        monotonic: seconds that never go back.
        pause: waits so many seconds.
    """

    def __init__(
        self,
        address: str,
        *,
        monotonic: Callable[[], float],
        pause: Callable[[float], object] = lambda seconds: Event().wait(seconds),
    ) -> None:
        self._address = address
        self._monotonic = monotonic
        self._pause = pause
        self._free: list[Connection] = []
        self._reached = False
        self.patience_s = VERB_PATIENCE_S
        self.away = False

    def __str__(self) -> str:
        return without_password(self._address)

    def apart(self) -> "Database":
        """The same database over connections of their own."""
        return Database(self._address, monotonic=self._monotonic, pause=self._pause)

    def close(self) -> None:
        """Let go of all connections; no other thread may use one any more."""
        while self._free:
            self._free.pop().close()

    @contextmanager
    def patiently(self) -> Iterator[None]:
        """For the length of the block, wait for the database as a session does."""
        before, self.patience_s = self.patience_s, SESSION_PATIENCE_S
        try:
            yield
        finally:
            self.patience_s = before

    def run(self, work: Work[T], *, patience_s: float | None = None) -> T:
        """Do something, again after a lost connection, as often as time allows: it must bear being done twice.

        One that was never reached is not tried again: a wrong password stays wrong, and locks accounts.

        Raises:
            StateError: the database is not reached, or refuses it.
        """
        began_s, patience_s = self._monotonic(), self.patience_s if patience_s is None else patience_s
        while True:
            try:
                done = self._once(work)
            except _AWAY as error:
                self.away = True
                if not self._reached or self._monotonic() - began_s >= patience_s:
                    raise self._unreached(error) from error
                self._pause(_PAUSE_S)
            else:
                self.away = False
                return done

    def rows(self, wanted: str, **values: object) -> list[tuple[Any, ...]]:
        """What a statement finds; nothing for one that only writes. It must bear being done twice.

        Raises:
            StateError: as `run`.
        """

        def fetch(connection: Connection) -> list[tuple[Any, ...]]:
            cursor = connection.execute(wanted, values)
            return cursor.fetchall() if cursor.description else []

        return self.run(fetch)

    def once(self, work: Work[T]) -> T:
        """Do something that must not be done twice.

        Raises:
            StateError: it is not done, or it is not known whether it is.
        """
        try:
            done = self._once(work)
        except _AWAY as error:
            self.away = True
            raise self._unreached(error) from error
        self.away = False
        return done

    def _once(self, work: Work[T]) -> T:
        connection = self._connection()
        try:
            done = work(connection)
        except BaseException as error:
            with suppress(psycopg.Error):
                connection.close()  # whatever was begun there is taken back
            if isinstance(error, _NO_TABLES):
                raise NoTables(f"{self}: has no tables of orchestrator", hint=how_to_make_tables(self)) from error
            if isinstance(error, psycopg.Error) and not isinstance(error, _AWAY):
                raise StateError(f"{self}: the database refuses it: {said(error)}") from error
            raise
        self._free.append(connection)
        return done

    def _connection(self) -> Connection:
        try:
            return self._free.pop()
        except IndexError:
            made = psycopg.connect(
                self._address, autocommit=True, connect_timeout=_CONNECT_S, options=_OPTIONS, **_ALIVE
            )
            self._reached = True
            return made

    def _unreached(self, error: Exception) -> StateError:
        return StateError(f"{self}: the database is not reached: {said(error)}", hint=_REACH.format(place=self))


def how_to_make_tables(database: Database) -> str:
    """What a person does where tables are missing."""
    return f"make them: orchestrator state init --state {quote(str(database))}"


def said(error: Exception) -> str:
    """The first line of what the database, or its client, says."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
