"""The log of a run: what `OpenJournal` is for files. One append is one transaction and one round trip.

A host that appends says which holder of the fleet it is; one that serves groups of scopes says for which holder, and
which server of each group it is. One that another host has replaced adds nothing more but what the cloud answered to
it: that is true in any case, and the host that works now hears it with its next append.

Intents are added only by a host that knows every record of their targets, and every one that restricts starts; where
another one has come before, the other records are added without them, by the same statement.

The lock comes first, in a statement of its own: under READ COMMITTED only the statements after it see everything that
was committed before it. `begin` and `commit` are statements too, for a transaction block of the client would wait for
each answer.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec

from orchestrator.errors import JournalDamaged, StateError, TakenOver
from orchestrator.model.record.record import AnswerSeen, Intent, Record
from orchestrator.tracker.journal.restricting import MARKS
from orchestrator.tracker.open_journal import Added
from orchestrator.tracker.postgres.database import Connection, Database
from orchestrator.tracker.postgres.log_statements import (
    ADD_AS_HOLDER,
    ADD_AS_SERVER,
    EPOCH,
    EPOCH_OF_SERVED,
    LOCK_FLEET,
    LOCK_GROUPS,
    LOCK_RUN,
    TAIL,
)
from orchestrator.tracker.postgres.rows import LogRow, content, damaged, row_of

_decoder: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)

#: Sooner than anybody is replaced for his silence.
SEND_WITHIN_S = 8.0
#: How often the records of others are asked for when there is none of our own to add.
_LOOKS_EVERY_S = 1.0


class LogPlace(NamedTuple):
    """Which log, and who adds to it.

    Attributes:
        run: its number in the tables.
        epoch: that of the fleet's holder.
        groups: what a server serves; none for the holder himself.
        group_epochs: which server of each it is.
    """

    run: int
    fleet: str
    name: str
    epoch: int
    host: str
    groups: list[str] = []  # noqa: RUF012  # never changed
    group_epochs: list[int] = []  # noqa: RUF012  # never changed


class Tail(NamedTuple):
    """What stands behind the last record that was known.

    Attributes:
        epoch: of the fleet's holder; that of none for a server who has lost a group.
        ours: how many records are there of what we have just added.
        others: what others have added, in order.
        last: number of the last record.
    """

    epoch: int
    ours: int
    others: list[Record]
    last: int


class RunLog:
    """An open log. One thread at a time may use it.

    Args:
        next_seq: one more than the number of the last record that was read.
        new_nonce: another text each time, by which an append is known again.
    """

    looks_every_s: float | None = _LOOKS_EVERY_S
    send_within_s = SEND_WITHIN_S

    def __init__(self, database: Database, place: LogPlace, next_seq: int, new_nonce: Callable[[], str]) -> None:
        self._database = database
        self._place = place
        self._last = next_seq - 1
        self._new_nonce = new_nonce
        self._heard: list[Record] = []
        self._dead: StateError | None = None

    def __str__(self) -> str:
        return self._place.name

    @property
    def waits(self) -> bool:
        """Whether the database is away, and is waited for."""
        return self._database.away

    def append(self, records: Sequence[Record]) -> Added:
        """As `OpenJournal` says.

        Raises:
            TakenOver: another host works on the fleet; of these records, answers of the cloud are kept all the same.
            StateError: they are not kept, or it is not known whether they are; the same again for every later append.
        """
        if self._dead is not None and not isinstance(self._dead, TakenOver):
            raise self._dead
        try:
            added = self._fate(records, self._add(records, free=False)) if self._dead is None else None
            if added is not None:
                return added
            self._dead = self._dead or self._taken_over()
            answers = [record for record in records if isinstance(record, AnswerSeen)]
            if answers:
                self._add(answers, free=True)
        except StateError as error:
            self._dead = self._dead or error
            raise
        raise self._dead

    def news(self) -> Sequence[Record]:
        """What others have added since the last append.

        Raises:
            StateError: the database cannot be used.
        """
        outcome = self._database.run(self.tail)
        self._hear(outcome)
        self._expect_ours(outcome)
        return self._told()

    def expect_whole(self) -> None:
        """This host has not been replaced. What others have added is no damage: `append` and `news` tell it.

        Raises:
            TakenOver: it has.
            StateError: the database cannot be used.
        """
        self._expect_ours(self._database.run(self.tail))

    def close(self) -> None:
        """Let go of it: everything that `append` returned for is kept already."""

    def _expect_ours(self, outcome: Tail) -> None:
        if outcome.epoch != self._place.epoch:
            self._dead = self._dead or self._taken_over()
            raise self._dead

    def _told(self) -> list[Record]:
        told, self._heard = self._heard, []
        return told

    def _add(self, records: Sequence[Record], *, free: bool) -> Tail:
        values = self._values([row_of(record) for record in records], records, free=free)
        tail = self._database.run(partial(self._transaction, values))
        self._hear(tail)
        return tail

    def _fate(self, records: Sequence[Record], tail: Tail) -> Added | None:
        """What became of these; None when another host has replaced this one."""
        if tail.ours == len(records):
            return Added(self._told())
        rest = sum(not isinstance(record, Intent) for record in records)
        stays = tail.epoch == self._place.epoch
        return Added(self._told(), overtaken=True) if tail.ours == rest and (rest or stays) else None

    def _values(self, rows: Sequence[LogRow], records: Sequence[Record], *, free: bool) -> dict[str, Any]:
        named = [(index, row.target, *each) for index, row in enumerate(rows) for each in row.workflows]
        return {
            **self._place._asdict(),
            "last": self._last,
            "free": free,
            "nonce": self._new_nonce(),
            "begins": [record.target for record in records if isinstance(record, Intent)],
            "restricting": list(MARKS.kinds),
            "unless_kinds": list(MARKS.unless_kinds),
            "unless": list(MARKS.unless),
            "targets": [row.target for row in rows],
            "attempts": [row.attempt for row in rows],
            "records": [row.record for row in rows],
            "bodies": [row.body for row in rows],
            "crcs": [row.crc for row in rows],
            "indexes": [index for index, *_ in named],
            "owners": [target for _, target, _, _ in named],
            "workflows": [workflow for *_, workflow, _ in named],
            "strays": [stray for *_, stray in named],
        }

    def _transaction(self, values: dict[str, Any], connection: Connection) -> Tail:
        with connection.pipeline():
            connection.execute("begin")
            connection.execute(LOCK_FLEET, values)
            if self._place.groups:
                connection.execute(LOCK_GROUPS, values)
            connection.execute(LOCK_RUN, values)
            connection.execute(ADD_AS_SERVER if self._place.groups else ADD_AS_HOLDER, values)
            epoch = connection.execute(self._epoch, values)
            tail = connection.execute(TAIL, values)
            connection.execute("commit")
        return self._outcome(_number(epoch.fetchone()), tail.fetchall())

    def tail(self, connection: Connection) -> Tail:
        """What has been added since the last record that is known here."""
        values = {**self._place._asdict(), "nonce": "", "last": self._last}
        rows = connection.execute(TAIL, values).fetchall()
        return self._outcome(_number(connection.execute(self._epoch, values).fetchone()), rows)

    def _outcome(self, epoch: int, rows: Sequence[tuple[Any, ...]]) -> Tail:
        others, ours, last = list[Record](), 0, self._last
        for seq, mine, body, crc in rows:
            if seq != last + 1:
                raise damaged(f"{self}:{last + 1}", f"the record is missing; the next one is {seq}")
            last, ours = seq, ours + mine
            if not mine:
                others.append(content(_decoder, f"{self}:{seq}", body, crc))
        return Tail(epoch, ours, others, last)

    def _hear(self, outcome: Tail) -> None:
        self._heard += outcome.others
        self._last = outcome.last

    def _taken_over(self) -> TakenOver:
        served = f", or serves {' or '.join(self._place.groups)}" if self._place.groups else ""
        return TakenOver(
            f"{self}: another host works on this fleet now{served}; this one was silent for too long",
            hint="nothing is to be done: what was under way here is followed there",
        )

    @property
    def _epoch(self) -> str:
        return EPOCH_OF_SERVED if self._place.groups else EPOCH


def _number(row: tuple[object, ...] | None) -> int:
    return -1 if row is None else int(str(row[0]))


def expect_last(name: str, last: int, added: Sequence[Record]) -> None:
    """What was added since a run was read are late answers, and nothing else.

    Raises:
        JournalDamaged: something else was.
    """
    if not all(isinstance(record, AnswerSeen) for record in added):
        raise JournalDamaged(
            f"{name}: record {last} was the last one when it was read, and is no more",
            hint="only one process may write here: start again when nothing else does",
        )
