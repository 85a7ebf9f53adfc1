"""A run in the tables: what was frozen when it began, and its log."""

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from zlib import crc32

import msgspec
from msgspec import Struct

from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.settings import Settings, settings_of
from orchestrator.model.plan.target import Target
from orchestrator.model.record.record import Record, RunStarted
from orchestrator.model.written.writable import encoded
from orchestrator.tracker.disk import make_folder
from orchestrator.tracker.postgres.database import Connection, Database
from orchestrator.tracker.postgres.rows import content, damaged, expect_known, row_of
from orchestrator.tracker.postgres.run_log import LogPlace, RunLog, expect_last
from orchestrator.tracker.postgres.seat import Seat
from orchestrator.tracker.served_groups import Post
from orchestrator.tracker.state_store import Fleet, Part

T = TypeVar("T")

_records: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)
_targets = msgspec.json.Decoder(Target)
_plans = msgspec.json.Decoder(Plan)
_settings = msgspec.json.Decoder(Settings)
#: Rows that are read at once.
_PAGE = 2000

_JOURNAL = "select seq, body, crc from orchestrator.journal where run = %(run)s and seq > %(after)s"
_ORDER = " order by seq limit %(page)s"
_OUTCOMES = (
    " and record in ('run_started', 'session_started', 'fleet_claimed', 'outcome_kept', 'settled', 'reverified',"
    " 'hold_set', 'hold_released', 'wave_approved', 'limits_changed')"
)
_ABOUT = " and (target is null or target = any(%(names)s))"
#: The targets that share a workflow with some targets, and these.
_SHARING = """
select distinct other.target from orchestrator.workflow own join orchestrator.workflow other
  on own.run = other.run and own.workflow_id = other.workflow_id
where own.run = %(run)s and own.target = any(%(names)s) and other.target is not null
"""


class DatabaseRun(msgspec.Struct, frozen=True):
    """A run by its number in the tables."""

    number: int
    run_id: str
    fleet: Fleet
    seat: Seat

    @property
    def report(self) -> Path:
        return self._folder / "report.json"

    @property
    def page(self) -> Path:
        return self._folder / "report.html"

    @property
    def _folder(self) -> Path:
        return self.seat.reports / self.fleet.name / "runs" / self.run_id

    @property
    def _database(self) -> Database:
        return self.seat.database

    @property
    def _key(self) -> str:
        return self.seat.key_of(self.fleet.name)

    def plan(self) -> Plan:
        return self._frozen("plan", _plans)

    def settings(self) -> Settings:
        return self._frozen("settings", _settings)

    def save_settings(self, settings: Settings) -> None:
        self._rows("update orchestrator.run set settings = %(body)s where run = %(run)s", body=encoded(settings))

    def targets(self) -> Iterator[Target]:
        wanted = (
            "select position, body, crc from orchestrator.target where run = %(run)s and position > %(after)s "
            "order by position limit %(page)s"
        )
        for number, body, crc in self._pages(wanted):
            yield content(_targets, self.place_of("targets", number), body, crc)

    def targets_among(self, proxy_ids: Collection[str]) -> tuple[list[Target], int]:
        wanted = (
            "select position, body, crc from orchestrator.target where run = %(run)s and proxy_id = any(%(names)s) "
            "order by position"
        )
        found = self._rows(wanted, names=list(proxy_ids))
        count = self._rows("select targets from orchestrator.run where run = %(run)s")[0][0]
        return [content(_targets, self.place_of("targets", at), body, crc) for at, body, crc in found], count

    def draw_order(self, fleet: str) -> None:
        """It is not kept."""

    def records(self, after: int = 0) -> Iterator[tuple[int, Record]]:
        expected = after
        for number, body, crc in self._pages(_JOURNAL + _ORDER, after):
            expected += 1
            if number != expected:
                raise damaged(self.place_of("journal", expected), f"the record is missing; the next one is {number}")
            yield number, self._record(number, body, crc)

    def outcomes(self) -> Iterator[Record]:
        for number, body, crc in self._pages(_JOURNAL + _OUTCOMES + _ORDER):
            yield self._record(number, body, crc)

    def records_about(self, proxy_id: str) -> Iterator[tuple[int, Record]]:
        names = {proxy_id}
        while names != (wider := names | {row[0] for row in self._rows(_SHARING, names=list(names))}):
            names = wider
        for number, body, crc in self._pages(_JOURNAL + _ABOUT + _ORDER, names=list(names)):
            yield number, self._record(number, body, crc)

    def remember(self, seq: int, parts: Iterable[Struct]) -> None:
        """Nothing is kept: the log is read from its start, by the host that takes it up."""

    def recall(self) -> None:
        """Nothing is kept."""

    def has_ended(self) -> bool:
        ended = "select 1 from orchestrator.journal where run = %(run)s and record = 'run_ended' limit 1"
        return bool(self._rows(ended))

    def resume(self, next_seq: int) -> RunLog:
        seat = self.seat
        place = LogPlace(self.number, self._key, self.place_of("journal"), seat.epoch(self._key), seat.host)
        log = RunLog(self._database, place, next_seq, seat.new_token)
        expect_last(str(log), next_seq - 1, self._database.run(log.tail).others)
        make_folder(self._folder)
        return log

    def join(self, next_seq: int, post: Post) -> RunLog:
        place = LogPlace(
            self.number,
            self._key,
            self.place_of("journal"),
            post.lead,
            self.seat.host,
            [*post.epochs],
            [*post.epochs.values()],
        )
        return RunLog(self._database, place, next_seq, self.seat.new_token)

    def place_of(self, part: Part, number: int | None = None) -> str:
        return f"{self._database}/{self._key}/{self.run_id}/{part}" + ("" if number is None else f":{number}")

    def _record(self, number: int, body: object, crc: object) -> Record:
        place = self.place_of("journal", number)
        record = content(_records, place, body, crc)
        expect_known(place, record)
        return record

    def _frozen(self, column: str, decoder: "msgspec.json.Decoder[T]") -> T:
        body = self._rows(f"select {column} from orchestrator.run where run = %(run)s")[0][0]  # noqa: S608  # a constant
        return content(decoder, f"{self.place_of('journal')}: {column}", body, crc32(body))

    def _pages(self, wanted: str, after: int = 0, **values: object) -> Iterator[tuple[Any, ...]]:
        """Rows that begin with a number, in its order, read as they are asked for."""
        while rows := self._rows(wanted, after=after, page=_PAGE, **values):
            yield from rows
            after = rows[-1][0]

    def _rows(self, wanted: str, **values: object) -> list[tuple[Any, ...]]:
        return self._database.rows(wanted, run=self.number, **values)


def write_run(
    connection: Connection, fleet: str, host: str, plan: Plan, targets: Iterable[Target], first: RunStarted
) -> int:
    """Make a run, complete or not at all, and return its number."""
    row, count = row_of(first), 0
    with connection.transaction():
        number = _number(connection, fleet, plan, first)
        with connection.cursor().copy(
            "copy orchestrator.target (run, position, proxy_id, body, crc) from stdin"
        ) as copy:
            for count, target in enumerate(targets, 1):
                body = encoded(target)
                copy.write_row((number, count, target.proxy_id, body, crc32(body)))
        connection.execute("update orchestrator.run set targets = %s where run = %s", (count, number))
        connection.execute(
            "insert into orchestrator.journal (run, seq, record, host, nonce, body, crc) "
            "values (%s, 1, %s, %s, '', %s, %s)",
            (number, row.record, host, row.body, row.crc),
        )
    return number


def _number(connection: Connection, fleet: str, plan: Plan, first: RunStarted) -> int:
    made = connection.execute(
        "insert into orchestrator.run (fleet, run_id, plan, settings, targets, next_seq) values (%s, %s, %s, %s, 0, 2) "
        "returning run",
        (fleet, first.run_id, encoded(plan), encoded(settings_of(plan))),
    ).fetchone()
    if made is None:
        raise AssertionError("an insert returns its row")
    return int(str(made[0]))
