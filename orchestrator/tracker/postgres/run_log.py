"""The log of a run: what `OpenJournal` is for files. One append is one transaction and one round trip.

A host that appends says which holder of the fleet it is; one that serves groups of scopes says for which holder, and
which server of each group it is. One that another host has replaced adds nothing more but what the cloud answered to
it: that is true in any case, and the host that works now hears it with its next append. An intent is added only by a
host that knows every record of its target.

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
from orchestrator.tracker.journal.group_commit import written_meanwhile
from orchestrator.tracker.postgres.database import Connection, Database
from orchestrator.tracker.postgres.rows import LogRow, content, damaged, row_of

_decoder: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)

_EPOCH = "select epoch from orchestrator.fleet where fleet = %(fleet)s"
_LOCK_FLEET = f"{_EPOCH} for share"
_LOCK_RUN = "select 1 from orchestrator.run where run = %(run)s for no key update"
#: A beat of the server passes; who takes a group waits.
_LOCK_GROUPS = """
select 1 from orchestrator.serving where fleet = %(fleet)s and grp = any(%(groups)s) order by grp for key share
"""
#: A group that is not, or no more, this server's for the holder of the fleet that it serves.
_LOST = """
(select from unnest(%(groups)s::text[], %(group_epochs)s::bigint[]) as mine (grp, epoch)
 where not exists (select from orchestrator.serving s where s.fleet = %(fleet)s and s.grp = mine.grp
                   and s.epoch = mine.epoch and s.lead_epoch = %(epoch)s))
"""
#: That of no holder where a group is lost.
_EPOCH_OF_SERVED = f"select case when exists {_LOST} then -1 else ({_EPOCH}) end"  # constants
_ADD = """
with taken as (
  update orchestrator.run set next_seq = next_seq + %(count)s where run = %(run)s
    and (%(free)s or exists (select from orchestrator.fleet where fleet = %(fleet)s and epoch = %(epoch)s) {fence})
    and not exists (select from orchestrator.journal where run = %(run)s and seq > %(last)s
                    and (nonce = %(nonce)s or target = any(%(begins)s)))
  returning next_seq - %(count)s as first
), named as (
  insert into orchestrator.workflow (run, seq, workflow_id, target, stray)
  select %(run)s, taken.first + w.i, w.workflow_id, w.target, w.stray
  from taken, unnest(%(indexes)s::int[], %(workflows)s::text[], %(owners)s::text[], %(strays)s::bool[])
    as w (i, workflow_id, target, stray)
)
insert into orchestrator.journal (run, seq, target, attempt, record, host, nonce, body, crc)
select %(run)s, taken.first + r.i - 1, r.target, r.attempt, r.record, %(host)s, %(nonce)s, r.body, r.crc
from taken, unnest(%(targets)s::text[], %(attempts)s::int[], %(records)s::text[], %(bodies)s::bytea[],
                   %(crcs)s::bigint[]) with ordinality as r (target, attempt, record, body, crc, i)
"""
_TAIL = """
select seq, nonce = %(nonce)s, case when nonce = %(nonce)s then null else body end, crc
from orchestrator.journal where run = %(run)s and seq > %(last)s order by seq
"""
_ADD_AS_HOLDER, _ADD_AS_SERVER = _ADD.format(fence=""), _ADD.format(fence=f"and not exists {_LOST}")
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
        ours: whether what we have just added is there.
        others: what others have added, in order.
        last: number of the last record.
    """

    epoch: int
    ours: bool
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

    def append(self, records: Sequence[Record]) -> Sequence[Record]:
        """Return when all these records will survive a crash; what others have added before them comes back.

        Raises:
            TakenOver: another host works on the fleet; of these records, answers of the cloud are kept all the same.
            StateError: they are not kept, or it is not known whether they are; the same again for every later append.
        """
        if self._dead is not None and not isinstance(self._dead, TakenOver):
            raise self._dead
        try:
            if self._dead is None and self._add(records, free=False):
                return self._told()
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

    def _add(self, records: Sequence[Record], *, free: bool) -> bool:
        """Whether they were added; if not, another host has replaced this one."""
        values = self._values([row_of(record) for record in records], records, free=free)
        outcome = self._database.run(partial(self._transaction, values))
        self._hear(outcome)
        if outcome.ours:
            return True
        if not free and outcome.epoch == self._place.epoch:
            raise written_meanwhile(str(self))
        return False

    def _values(self, rows: Sequence[LogRow], records: Sequence[Record], *, free: bool) -> dict[str, Any]:
        named = [(index, row.target, *each) for index, row in enumerate(rows) for each in row.workflows]
        return {
            **self._place._asdict(),
            "last": self._last,
            "count": len(rows),
            "free": free,
            "nonce": self._new_nonce(),
            "begins": [record.target for record in records if isinstance(record, Intent)],
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
            connection.execute(_LOCK_FLEET, values)
            if self._place.groups:
                connection.execute(_LOCK_GROUPS, values)
            connection.execute(_LOCK_RUN, values)
            connection.execute(_ADD_AS_SERVER if self._place.groups else _ADD_AS_HOLDER, values)
            epoch = connection.execute(self._epoch, values)
            tail = connection.execute(_TAIL, values)
            connection.execute("commit")
        return self._outcome(_number(epoch.fetchone()), tail.fetchall())

    def tail(self, connection: Connection) -> Tail:
        """What has been added since the last record that is known here."""
        values = {**self._place._asdict(), "nonce": "", "last": self._last}
        rows = connection.execute(_TAIL, values).fetchall()
        return self._outcome(_number(connection.execute(self._epoch, values).fetchone()), rows)

    def _outcome(self, epoch: int, rows: Sequence[tuple[Any, ...]]) -> Tail:
        others, ours, last = list[Record](), False, self._last
        for seq, mine, body, crc in rows:
            if seq != last + 1:
                raise damaged(f"{self}:{last + 1}", f"the record is missing; the next one is {seq}")
            last, ours = seq, ours or mine
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
        return _EPOCH_OF_SERVED if self._place.groups else _EPOCH


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
