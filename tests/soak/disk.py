"""The journal of a trial: what is on disk survives a death, what was only handed over does not."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from soak.life import Died, Life

from orchestrator.errors import StateError
from orchestrator.model.record import Record
from orchestrator.tracker.journal.line import encode_lines


@dataclass(frozen=True, slots=True)
class Line:
    """One record on disk, and since when."""

    record: Record
    written_s: float


@dataclass
class Disk:
    """What survives. `delay_s`: how long a write takes at most; 0 writes at once."""

    delay_s: float
    lines: list[Line] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    content: bytearray = field(default_factory=bytearray)

    def store(self, records: list[Record], now_s: float) -> None:
        """Write them, in the form of the real journal too."""
        self.content += encode_lines(records, len(self.lines) + 1)
        self.lines.extend(Line(record, now_s) for record in records)
        self.records.extend(records)


class _Done:
    async def wait(self) -> None:
        """It is there already."""


class _Handed:
    """A group of records on its way to the disk."""

    def __init__(self, life: Life) -> None:
        self.records: list[Record] = []
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
        self._group = _Handed(life)
        self._failure: StateError | None = None
        self._busy = False

    def append_nowait(self, record: Record) -> "_Handed | _Done":
        self._life.check()
        if self._failure is not None:
            raise StateError(str(self._failure))
        self._life.come_by("record")
        if not self._disk.delay_s and self._left is None:
            self._write([record])
            return _DONE
        self._group.records.append(record)
        if not self._busy:
            self._busy = True
            self._life.loop.call_later(self._chance.random() * self._disk.delay_s, self._flush)
        return self._group

    def lose(self) -> None:
        """After a death: a torn part of what was under way may have reached the disk, in order."""
        survivors = self._chance.randint(0, len(self._group.records)) if self._chance.random() < 0.5 else 0
        self._store(self._group.records[:survivors])

    async def drained(self) -> None:
        """Return when everything that was handed over is on disk."""
        while self._busy:
            await self._group.wait()

    def _flush(self) -> None:
        if self._life.dead:
            return
        group, self._group, self._busy = self._group, _Handed(self._life), False
        if self._left is not None:
            self._left -= len(group.records)
            if self._left < 0:
                self._failure = StateError("virtual disk: No space left on device")
                group.settle(self._failure)
                return
        try:
            self._write(group.records)
        except Died:
            return
        group.settle()

    def _write(self, records: list[Record]) -> None:
        self._store(records)
        self._life.come_by("written")
        for record in records:
            self._on_durable(record)

    def _store(self, records: list[Record]) -> None:
        self._disk.store(records, self._life.loop.time())


_DONE = _Done()
