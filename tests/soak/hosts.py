"""A trial of several hosts: one works, the others stand by; it dies or stands still, and another one takes its place.

All processes of a night live side by side on one clock, before one cloud, over one shared log. One that wakes up too
late goes on where it stood, and knows nothing of the one that has taken its place.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import anyio
from fakes.shared_log import SharedJournal, SharedLog
from soak.difference import difference
from soak.disk import handed
from soak.fleet import Fleet
from soak.host_life import HostLife, HostWriter
from soak.life import Died
from soak.loop import VirtualLoop
from soak.process import Build, new_run
from soak.trial import Evidence, Process, Trial, ended_badly

from orchestrator.errors import StateError
from orchestrator.model.record.record import AttemptDisproved, Intent, Record, Settled
from orchestrator.model.run.run import Run
from orchestrator.tracker.postgres.serving.watched_silence import DEAD_S

#: How much later than after the silence another host has seen it.
_SEES_WITHIN_S = 2.0
#: An append takes at most about so long where the disk of a trial takes nothing.
_ROUND_TRIP_S = 0.01
_KINDS: dict[type[Record], str] = {AttemptDisproved: "disproof", Intent: "intent", Settled: "settlement"}


class HostsTrial(Trial):
    """The world of several hosts, and the log that they share."""

    def __init__(self, fleet: Fleet, build: Build, hosts: int, log: SharedLog) -> None:
        super().__init__(replace(fleet, disk_delay_s=max(fleet.disk_delay_s, _ROUND_TRIP_S)), build)
        self.hosts = hosts
        self.log = log
        self.lives: list[HostLife] = []

    async def night(self, loop: VirtualLoop) -> None:
        """One host after the other works, until one comes to its end; those that stand still are waited for."""
        self.lives = []
        async with anyio.create_task_group() as group:
            while True:
                process = self.new_process(loop.time())
                life = HostLife(loop, process.ordeal, self.fleet, self.log.take())
                life.journal.keep = partial(self._keep, life)
                self.lives.append(life)
                group.start_soon(self._live_there, process, life)
                if not await self._falls_silent(life):
                    return
                still = [each for each in self.lives if each.frozen and not each.dead]
                if len(still) >= self.hosts:
                    await still[0].awake.wait()

    async def _falls_silent(self, life: HostLife) -> bool:
        """Whether another one takes its place; False when it has come to its end."""
        while True:
            await life.stirred.wait()
            if life.ended and not life.dead:
                return False
            life.stirred = anyio.Event()
            await asyncio.sleep(DEAD_S + self.chance.random() * _SEES_WITHIN_S)
            if life.dead or life.frozen:
                return True
            if life.ended:
                return False

    async def _live_there(self, process: Process, life: HostLife) -> None:
        run = self.recovered()
        dispatcher = self.dispatcher(process, run, life)
        ledger = dispatcher.session.ledger
        writer = HostWriter(
            life,
            self.chance,
            self.disk.delay_s,
            partial(self._handing, life),
            ledger.on_durable,
            dispatcher.session.on_others,
            ledger.on_overtaken,
        )
        ledger.attach(self.build.journal(writer), send_within_s=life.journal.send_within_s, shared=True)
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(writer.run)
                await self.work(process, dispatcher, life)
                await writer.aclose()
                group.cancel_scope.cancel()
            process.fold_differs = None if life.missed else self._differs(run, life.journal)
        except (BaseExceptionGroup, StateError, Died) as error:
            ended_badly(process, life, error)
        process.raised = life.raised
        process.ended_s = life.loop.time()
        life.end()

    def _keep(self, life: HostLife, records: Sequence[Record]) -> None:
        self.disk.store([handed(record, life) for record in records], life.loop.time())

    def _handing(self, life: HostLife, record: Record) -> None:
        """The worst instant for others to wake up."""
        kind = _KINDS.get(type(record))
        for other in self.lives:
            if other is not life and other.frozen and other.freeze is not None and other.freeze.until == kind:
                other.wake_up()

    def _differs(self, live: Run, journal: SharedJournal) -> str | None:
        """What the live state and the fold disagree on.

        Where others' answers came in between they may: what counts from the moment it is handed over came before them.
        """
        if journal.heard:
            return None
        return difference(live, new_run(self.fleet.plan, self.disk.records[: journal.known]))


def run_hosts_trial(fleet: Fleet, hosts: int, build: Build | None = None, log: SharedLog | None = None) -> Evidence:
    """Play one trial of several hosts to its end."""
    return HostsTrial(fleet, build or Build(), hosts, log or SharedLog()).play()
