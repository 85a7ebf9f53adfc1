"""A host of a trial with several: a process that may stand still, and its end of the log that all of them share."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from math import inf
from random import Random
from typing import TypeVar

import anyio
from fakes.shared_log import SharedJournal
from soak.fleet import Fleet, Freeze, Ordeal
from soak.life import Died, Life
from soak.loop import VirtualLoop

from orchestrator.errors import StateError
from orchestrator.executor.session import Session
from orchestrator.model.record.record import Record
from orchestrator.tracker.journal.group_commit import Group, JournalWriter

T = TypeVar("T")

#: How often an append of a host that died on the way is added all the same, and how much later.
_ADRIFT, _ADRIFT_S = 0.5, 2.0
#: So long after it has woken up a host makes the calls that it was about to make.
_CATCHES_UP_S = 5.0


class HostLife(Life):
    """A life that may stand still: what it waits for comes, and it goes on only when it has woken up.

    Attributes:
        frozen: it stands still.
        ended: its process has come to its end, in whatever way.
        stirred: something of this has changed.
        awake: set when it goes on after it stood still.
        journal: the log as it has it open.
        name: of its host.
    """

    def __init__(self, loop: VirtualLoop, ordeal: Ordeal, fleet: Fleet, journal: SharedJournal, name: str = "") -> None:
        super().__init__(loop, ordeal.death, ordeal.raises, fleet.host)
        self.name = name
        self.freeze = ordeal.freeze
        self.frozen = self.ended = False
        self.stirred, self.awake = anyio.Event(), anyio.Event()
        self.journal = journal
        self._still: list[asyncio.Future[None]] = []
        self._woke_s = -inf
        if self.freeze is not None and self.freeze.place == "instant":
            loop.call_later(self.freeze.nth, self._stand_still, self.freeze)

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        await self.steady()

    async def flight(self, seconds: float) -> None:
        await super().sleep(seconds)

    async def kept(self, promise: asyncio.Future[None]) -> None:
        await super().kept(promise)
        await self.steady()

    async def steady(self) -> None:
        while self.frozen:
            awake = self.promise()
            self._still.append(awake)
            await super().kept(awake)

    def sender(self, host: str) -> str:
        """Calls whose turn came before it stood still leave together when it wakes up."""
        awake = self.monotonic() - self._woke_s > _CATCHES_UP_S
        return host if self.journal.works and awake else f"{host}, by one that stood still"

    def come_by(self, place: str) -> None:
        super().come_by(place)
        if self.freeze is not None and (self.freeze.place, self.freeze.nth) == (place, self.passed[place]):
            self._stand_still(self.freeze)

    @property
    def stands_still(self) -> bool:
        """Whether nothing can begin on its host."""
        return self.frozen and not self.dead

    def wake_up(self) -> None:
        """Go on."""
        self.frozen, self._woke_s = False, self.monotonic()
        self.awake.set()
        still, self._still = self._still, []
        for awake in still:
            if not awake.done():
                awake.set_result(None)

    def die(self) -> None:
        super().die()
        self.stirred.set()

    def end(self) -> None:
        """Its process is over."""
        self.ended = True
        self.stirred.set()

    def _stand_still(self, freeze: Freeze) -> None:
        if not self.dead:
            self.frozen = True
            self.loop.call_later(freeze.seconds, self.wake_up)
            self.stirred.set()


class HostWriter(JournalWriter):
    """The program's own writer, whose thread is virtual time: what it appends is added on the way there.

    Args:
        handing: called with each record that is handed over.
        session: whose records these are.
    """

    def __init__(
        self,
        life: HostLife,
        chance: Random,
        delay_s: float,
        handing: Callable[[Record], None],
        session: Session,
    ) -> None:
        ledger = session.ledger
        super().__init__(
            life.journal,
            ledger.on_durable,
            on_others=session.on_others,
            on_failure=ledger.on_failure,
            on_overtaken=ledger.on_overtaken,
        )
        self._life = life
        self._chance = chance
        self._way_s = delay_s / 2
        self._handing = handing

    def append_nowait(self, record: Record) -> Group:
        self._life.check()
        self._life.come_by("record")
        self._handing(record)
        return super().append_nowait(record)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        with anyio.CancelScope(shield=True):
            try:
                await self._life.sleep(self._chance.random() * self._way_s)
            except Died:
                if self._chance.random() < _ADRIFT:
                    self._life.loop.call_later(self._chance.random() * _ADRIFT_S, _tried, work)
                raise
            done = work()
            self._life.come_by("written")
            await self._life.sleep(self._chance.random() * self._way_s)
            return done
        raise AssertionError("a scope that is never cancelled ends with what it holds")


def _tried(work: Callable[[], object]) -> None:
    with suppress(StateError):
        work()
