"""The lock of a fleet among hosts: who holds it shows that he lives, every two seconds.

One that has been silent for ten is replaced, by one that has watched the silence all the time: so an outage of the
database, which silences everybody, replaces nobody. Being replaced needs no message: what it writes from then on is
refused, because it says the epoch of before.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, NamedTuple

from orchestrator.errors import FleetLocked, StateError
from orchestrator.tracker.postgres.database import SESSION_PATIENCE_S, Connection, Database
from orchestrator.tracker.postgres.serving.beside import beating, looking
from orchestrator.tracker.postgres.serving.group_rows import Taker
from orchestrator.tracker.postgres.serving.standing_by import Beside, StandingBy
from orchestrator.tracker.postgres.serving.watched_silence import BEAT_S, DEAD_S, LOOK_S, Watch
from orchestrator.tracker.served_groups import StandBy

_ENTER = "insert into orchestrator.fleet (fleet) values (%s) on conflict do nothing"
_LOOK = """
select f.holder, f.epoch, f.token, b.at, extract(epoch from clock_timestamp() - b.at)
from orchestrator.fleet f left join orchestrator.beat b using (fleet) where f.fleet = %s
"""
_TAKE = """
update orchestrator.fleet set epoch = epoch + 1, holder = %(words)s, token = %(token)s
where fleet = %(fleet)s and epoch = %(epoch)s and (holder is null or %(silent)s)
"""
_BEAT = """
insert into orchestrator.beat (fleet, at)
select fleet, clock_timestamp() from orchestrator.fleet where fleet = %(fleet)s and epoch = %(epoch)s
on conflict (fleet) do update set at = excluded.at
"""
_LEAVE = "update orchestrator.fleet set holder = null, token = null where fleet = %(fleet)s and epoch = %(epoch)s"


class Holding(NamedTuple):
    """What is seen of a fleet's lock; `silent_s` is by the clock of the database."""

    words: str | None
    epoch: int
    token: str | None
    beat: object
    silent_s: float

    @property
    def lives(self) -> bool:
        """Whether it is held, and its holder has shown himself of late."""
        return self.words is not None and self.silent_s < DEAD_S


class Candidate(NamedTuple):
    """Who wants the lock of a fleet.

    Attributes:
        words: who it is, for people, when it takes the place now.
        host: where it is.
        token: nobody else's.
        expect_fit: raises `StateError` where its host may take part in nothing. Asked when it comes, and when it takes
            the place: it may have stood by for hours.
        beside: has the others looked at while this process serves.
    """

    fleet: str
    words: Callable[[], str]
    host: str
    token: str
    monotonic: Callable[[], float]
    pause: Callable[[float], object]
    expect_fit: Callable[[], None] = lambda: None
    beside: Beside = looking


def look(database: Database, fleet: str, *, patience_s: float | None = None) -> Holding | None:
    """Who holds the lock now; None when nobody ever did.

    Raises:
        StateError: the database cannot be used.
    """

    def read(connection: Connection) -> Holding | None:
        row: Any = connection.execute(_LOOK, (fleet,)).fetchone()
        return None if row is None else Holding(row[0], row[1], row[2], row[3], float(row[4] or 0.0))

    return database.run(read, patience_s=patience_s)


@contextmanager
def holding(database: Database, candidate: Candidate, *, stands_by: StandBy | None = None) -> Iterator[int]:
    """Hold the lock for the length of the block; its epoch is what appends say.

    Args:
        database: where the fleet is kept.
        candidate: who wants it.
        stands_by: stay beside one that lives, until it leaves or dies, and do this meanwhile.

    Raises:
        FleetLocked: another one holds it, or has held it until now.
        StateError: the database cannot be used, or the host is not fit.
    """
    epoch = _taken(database, candidate, stands_by)
    held = {"fleet": candidate.fleet, "epoch": epoch}
    with beating(database, _BEAT, held):
        try:
            yield epoch
        finally:
            with suppress(StateError):  # who comes next waits for the silence
                database.run(partial(_execute, _LEAVE, held))


def _taken(database: Database, candidate: Candidate, stands_by: StandBy | None) -> int:
    candidate.expect_fit()
    database.run(partial(_execute, _ENTER, (candidate.fleet,)))
    watch = _HolderWatch(candidate)
    if stands_by is None:
        return _waited_for(database, candidate, watch, None)
    standing_by = StandingBy(
        database,
        Taker(candidate.fleet, candidate.host, candidate.token),
        stands_by,
        lead_gone=lambda lead, patience_s: watch.gone(look(database, candidate.fleet, patience_s=patience_s), lead),
        expect_fit=candidate.expect_fit,
        monotonic=candidate.monotonic,
        beside=candidate.beside,
    )
    try:
        return _waited_for(database, candidate, watch, standing_by)
    finally:
        standing_by.end()


def _waited_for(database: Database, candidate: Candidate, watch: "_HolderWatch", standing_by: StandingBy | None) -> int:
    while True:
        now = _seen(database, candidate, stands_by=standing_by is not None)
        if now.token == candidate.token:
            return now.epoch
        if watch.saw_another_leave(now) or (standing_by is None and watch.sees_life(now)):
            raise _locked(candidate.fleet, now if now.words is not None else watch.seen or now)
        silent = watch.silent(now)
        if now.words is None or silent:
            candidate.expect_fit()
            _take(database, candidate, now.epoch, silent=silent)
        elif standing_by is None or not standing_by.served(now.epoch):
            candidate.pause(LOOK_S)


class _HolderWatch:
    """What one who waits for a lock has seen of its holder."""

    def __init__(self, candidate: Candidate) -> None:
        self._watch = Watch(candidate.monotonic)
        self.seen: Holding | None = None

    def saw_another_leave(self, now: Holding) -> bool:
        """Whether the session of another one has come to its end."""
        return now.words is None and self.seen is not None

    def sees_life(self, now: Holding) -> bool:
        """Whether the holder has shown himself lately, or while we looked."""
        lately = self.seen is None and now.silent_s < BEAT_S
        return now.words is not None and (lately or self._watch.moved((now.beat, now.epoch)))

    def silent(self, now: Holding) -> bool:
        """Whether the holder has been silent for too long."""
        if now.words is None:
            return False
        self.seen = now
        return self._watch.silent((now.beat, now.epoch))

    def gone(self, now: Holding | None, lead: int) -> str | None:
        """Why the holder with this epoch is none any more, or is taken for dead; None when neither."""
        if now is None or now.words is None:
            return "the session of the host that works has come to its end"
        silent = self.silent(now)
        if now.epoch != lead:
            return "another host works on this fleet now"
        return f"the host that works has been silent for {DEAD_S:g} s" if silent else None


def _seen(database: Database, candidate: Candidate, *, stands_by: bool) -> Holding:
    now = look(database, candidate.fleet, patience_s=SESSION_PATIENCE_S if stands_by else None)
    if now is None:
        raise StateError(f"{database}: the fleet {candidate.fleet} is gone")
    return now


def _take(database: Database, candidate: Candidate, epoch: int, *, silent: bool) -> None:
    values = {"fleet": candidate.fleet, "epoch": epoch, "silent": silent}

    def take(connection: Connection) -> None:
        with connection.transaction():
            connection.execute(_TAKE, {**values, "words": candidate.words(), "token": candidate.token})
            connection.execute(_BEAT, {"fleet": candidate.fleet, "epoch": epoch + 1})

    database.run(take)


def _execute(statement: str, values: Any, connection: Connection) -> None:
    connection.execute(statement, values)


def _locked(fleet: str, held: Holding) -> FleetLocked:
    return FleetLocked(
        f"{fleet}: another process works on this fleet: {held.words}",
        hint="wait for its end; `status` shows what it does, `hold` stops what it starts",
    )
