"""A journal in memory whose disk takes its time, and may be full."""

from collections.abc import Callable
from dataclasses import dataclass, field

import anyio
from fakes.clock import VirtualClock

from orchestrator.errors import StateError
from orchestrator.model.record.record import Record


class Handed:
    """A record on its way to the disk."""

    def __init__(self) -> None:
        self._done = anyio.Event()
        self._failed = False

    async def wait(self) -> None:
        await self._done.wait()
        if self._failed:
            raise StateError("no space left on device")

    def settle(self, *, failed: bool = False) -> None:
        self._failed = failed
        self._done.set()


@dataclass
class SlowJournal:
    """A journal in memory whose disk takes its time; records become durable in order, group by group.

    Attributes:
        fails_at: so many records fit on the disk.
    """

    clock: VirtualClock
    on_durable: Callable[[Record], None]
    delay_s: float = 0.002
    records: list[Record] = field(default_factory=list)
    fails_at: float = float("inf")
    _gathering: list[tuple[Record, Handed]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._work = anyio.Event()
        self._closing = False

    def append_nowait(self, record: Record) -> Handed:
        if len(self.records) >= self.fails_at:
            raise StateError("no space left on device")
        handed = Handed()
        self._gathering.append((record, handed))
        self._work.set()
        return handed

    async def run(self) -> None:
        with anyio.CancelScope(shield=True):
            while self._gathering or not self._closing:
                await self._work.wait()
                self._work = anyio.Event()
                group, self._gathering = self._gathering, []
                await self.clock.sleep(self.delay_s)
                fits = len(self.records) + len(group) <= self.fails_at
                self.fails_at = self.fails_at if fits else 0
                for record, _ in group if fits else ():
                    self.records.append(record)
                    self.on_durable(record)
                for _, handed in group:
                    handed.settle(failed=not fits)

    def close(self) -> None:
        self._closing = True
        self._work.set()
