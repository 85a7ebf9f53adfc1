"""The journal of a trial: what is on disk survives a death, what was only handed over does not."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from msgspec.structs import replace
from soak.life import Died, Life

from orchestrator.errors import StateError
from orchestrator.model.record.record import Record, WaveSoaking
from orchestrator.tracker.journal.line import encode_lines


@dataclass(frozen=True, slots=True)
class Line:
    """One record on disk, its instants put right, and since when it is there."""

    record: Record
    written_s: float


@dataclass
class Disk:
    """What survives.

    Attributes:
        delay_s: how long a write takes at most; 0 writes at once.
        lines: for whoever judges: the clock of a host may be wrong.
        records: as they were written, for whoever reads them again.
    """

    delay_s: float
    lines: list[Line] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    content: bytearray = field(default_factory=bytearray)

    def store(self, group: list["Handed"], now_s: float) -> None:
        """Write them, in the form of the real journal too."""
        records = [each.record for each in group]
        self.content += encode_lines(records, len(self.lines) + 1)
        self.lines.extend(Line(each.righted, now_s) for each in group)
        self.records.extend(records)


@dataclass(frozen=True, slots=True)
class Handed:
    """One record for the disk, and the same with its instants put right."""

    record: Record
    righted: Record


def handed(record: Record, life: Life) -> Handed:
    """A record as it is written in a life, and put right."""
    at = life.right(record.at)
    if at == record.at:
        return Handed(record, record)
    if isinstance(record, WaveSoaking):
        return Handed(record, replace(record, at=at, until=life.right(record.until)))
    return Handed(record, replace(record, at=at))


class _Done:
    async def wait(self) -> None:
        """It is there already."""


class _Group:
    """A group of records on its way to the disk."""

    def __init__(self, life: Life) -> None:
        self.handed: list[Handed] = []
        self._life = life
        self._waiting: list[asyncio.Future[None]] = []
        self._failure: StateError | None = None
        self._settled = False

    async def wait(self) -> None:
        if not self._settled:
            waiting = self._life.promise()
            self._waiting.append(waiting)
            await self._life.kept(waiting)
        if self._failure is not None:
            raise StateError(str(self._failure))

    def settle(self, failure: StateError | None = None) -> None:
        self._settled, self._failure = True, failure
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)


class VirtualJournal:
    """One session's journal; the executor's port.

    Args:
        full_after: so many records fit, then every write fails; None: the disk has room.
    """

    def __init__(
        self, disk: Disk, life: Life, chance: Random, on_durable: Callable[[Record], None], full_after: int | None
    ) -> None:
        self._disk = disk
        self._life = life
        self._chance = chance
        self._on_durable = on_durable
        self._left = full_after
        self._group = _Group(life)
        self._failure: StateError | None = None
        self._busy = False

    def append_nowait(self, record: Record) -> "_Group | _Done":
        self._life.check()
        if self._failure is not None:
            raise StateError(str(self._failure))
        self._life.come_by("record")
        if not self._disk.delay_s and self._left is None:
            self._write([handed(record, self._life)])
            return _DONE
        self._group.handed.append(handed(record, self._life))
        if not self._busy:
            self._busy = True
            self._life.loop.call_later(self._chance.random() * self._disk.delay_s, self._flush)
        return self._group

    def lose(self) -> None:
        """After a death: a torn part of what was under way may have reached the disk, in order."""
        survivors = self._chance.randint(0, len(self._group.handed)) if self._chance.random() < 0.5 else 0
        self._store(self._group.handed[:survivors])

    async def drained(self) -> None:
        """Return when everything that was handed over is on disk."""
        while self._busy:
            await self._group.wait()

    def _flush(self) -> None:
        if self._life.dead:
            return
        group, self._group, self._busy = self._group, _Group(self._life), False
        if self._left is not None:
            self._left -= len(group.handed)
            if self._left < 0:
                self._failure = StateError("virtual disk: No space left on device")
                group.settle(self._failure)
                return
        try:
            self._write(group.handed)
        except Died:
            return
        group.settle()

    def _write(self, group: list[Handed]) -> None:
        self._store(group)
        self._life.come_by("written")
        for each in group:
            self._on_durable(each.record)

    def _store(self, group: list[Handed]) -> None:
        self._disk.store(group, self._life.loop.time())


_DONE = _Done()
