"""A trial of several hosts: one works, the others stand by; it dies or stands still, and another one takes its place.

All processes of a night live side by side on one clock, before one cloud, over one shared log. One that wakes up too
late goes on where it stood, and knows nothing of the one that has taken its place. Where scopes name their hosts, those
that stand by serve the scopes that the one that works may not, and take each other's place likewise.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from random import Random

import anyio
from anyio.abc import TaskGroup
from fakes.shared_log import SharedJournal, SharedLog
from soak.bad_end import ended_badly
from soak.difference import difference
from soak.disk import handed
from soak.evidence import Evidence, Process
from soak.fleet import Fleet, Ordeal
from soak.host_life import HostLife, HostWriter
from soak.life import Died, die_with
from soak.loop import VirtualLoop
from soak.process import Build, new_lanes, new_run, nobody_elsewhere
from soak.trial import Trial

from orchestrator.errors import StateError
from orchestrator.executor.hosts.scope_server import ScopeServer
from orchestrator.executor.hosts.scopes_of_others import ScopesOfOthers
from orchestrator.executor.session import Session
from orchestrator.model.plan.plan import Scope
from orchestrator.model.plan.served_group import group_of
from orchestrator.model.record.record import AttemptDisproved, Intent, Record, SessionStarted, Settled
from orchestrator.model.run.run import Run
from orchestrator.tracker.postgres.serving.watched_silence import DEAD_S

#: How much later than after the silence another host has seen it.
_SEES_WITHIN_S = 2.0
#: An append takes at most about so long where the disk of a trial takes nothing.
_ROUND_TRIP_S = 0.01
#: How often a host that stands by looks for something to serve.
_LOOKS_S = 1.0
#: Processes that serve are numbered from here on.
_FIRST_SERVER = 1001
_KINDS: dict[type[Record], str] = {AttemptDisproved: "disproof", Intent: "intent", Settled: "settlement"}


class HostsTrial(Trial):
    """The world of several hosts, and the log that they share."""

    def __init__(self, fleet: Fleet, build: Build, hosts: int, log: SharedLog) -> None:
        super().__init__(replace(fleet, disk_delay_s=max(fleet.disk_delay_s, _ROUND_TRIP_S)), build)
        self.hosts = [f"h{number}" for number in range(1, hosts + 1)]
        self.log = log
        self.lives: list[HostLife] = []
        self._serving: dict[str, str] = {}
        self._places = Random(f"places {fleet.seed}")

    async def night(self, loop: VirtualLoop) -> None:
        """One host after the other works, until one comes to its end; those that stand still are waited for."""
        self.lives = []
        async with anyio.create_task_group() as group:
            while True:
                process = self.new_process(loop.time())
                process.host = self._places.choice(self._free(self.fleet.plan.scopes))
                process.serves = tuple(each.name for each in process.plan.scopes if each.served_by(process.host))
                life = self._new_life(loop, process, self.log.take())
                group.start_soon(self._live_there, process, life, partial(self._decide, process, life))
                for scopes in self._left(process):
                    group.start_soon(self._keep_served, group, loop, process, life, scopes)
                if not await self._falls_silent(life):
                    return
                while not self._free(self.fleet.plan.scopes):
                    await next(each for each in self.lives if each.stands_still).awake.wait()

    # --- who decides -------------------------------------------------------------------------------------------------

    async def _decide(
        self, process: Process, life: HostLife, run: Run
    ) -> tuple[Session, Callable[[], Awaitable[None]]]:
        scopes = [scope for names in self._left(process) for scope in names]
        rates = {name: lanes.pacer.nominal for name, lanes in new_lanes(process.plan, life).items()}
        elsewhere = ScopesOfOthers(scopes, run, life, self._servers, rates)
        dispatcher = self.dispatcher(process, run, life, elsewhere)
        return dispatcher.session, partial(self.work, process, dispatcher, life)

    async def _servers(self) -> Mapping[str, str]:
        return self._serving

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

    # --- who serves --------------------------------------------------------------------------------------------------

    def _left(self, process: Process) -> list[list[Scope]]:
        """The groups of scopes that the host which decides may not serve."""
        groups: dict[str, list[Scope]] = {}
        for scope in process.plan.scopes:
            if scope.name not in (process.serves or ()):
                groups.setdefault(group_of(scope), []).append(scope)
        return list(groups.values())

    async def _keep_served(
        self, group: TaskGroup, loop: VirtualLoop, lead: Process, decides: HostLife, scopes: list[Scope]
    ) -> None:
        """One host after the other serves a group, for as long as the one that decides is not replaced or gone."""
        names = [scope.name for scope in scopes]
        while decides.journal.works and not decides.ended:
            free = [host for host in self._free(scopes) if host != lead.host]
            if free and self._has_begun(lead):
                server = self._new_server(lead, self._places.choice(free), names, loop.time())
                await self._serve(group, loop, server, decides)
            await asyncio.sleep(_LOOKS_S * self._places.random())

    async def _serve(self, group: TaskGroup, loop: VirtualLoop, process: Process, decides: HostLife) -> None:
        """Return when it has come to its end, or when its silence was seen."""
        names = process.serves or ()
        life = self._new_life(loop, process, self.log.join(names))
        self._serving |= dict.fromkeys(names, process.host or "")
        group.start_soon(self._live_there, process, life, partial(self._run_stories, process, life, decides))
        await self._falls_silent(life)
        for name in names:
            self._serving.pop(name, None)

    def _has_begun(self, lead: Process) -> bool:
        return any(isinstance(each, SessionStarted) and each.number == lead.number for each in self.log.records)

    def _new_server(self, lead: Process, host: str, names: Sequence[str], now_s: float) -> Process:
        at, ordeals = len(self.servers), self.fleet.of_servers
        ordeal = ordeals[at] if at < len(ordeals) else Ordeal()
        number, serves = _FIRST_SERVER + at, tuple(names)
        self.servers.append(
            Process(
                number=number, plan=lead.plan, ordeal=ordeal, began_s=now_s, host=host, serves=serves, decides=False
            )
        )
        return self.servers[-1]

    async def _run_stories(
        self, process: Process, life: HostLife, decides: HostLife, run: Run
    ) -> tuple[Session, Callable[[], Awaitable[None]]]:
        def wake() -> None:
            server.wake()

        def over() -> str | None:
            return "the host that decides is gone" if decides.ended and not decides.dead else None

        session = self.session(process, run, life, wake, nobody_elsewhere(run, life))
        server = ScopeServer(session, process.host or "", over)

        async def work() -> None:
            async with anyio.create_task_group() as group:
                group.start_soon(die_with, life)
                process.why = await server.run()
                group.cancel_scope.cancel()

        return session, work

    # --- any of them -------------------------------------------------------------------------------------------------

    def _free(self, scopes: Sequence[Scope]) -> list[str]:
        """The hosts that may serve one of these scopes at least, and do not stand still."""
        still = {life.name for life in self.lives if life.stands_still}
        return [host for host in self.hosts if host not in still and any(each.served_by(host) for each in scopes)]

    def _new_life(self, loop: VirtualLoop, process: Process, journal: SharedJournal) -> HostLife:
        life = HostLife(loop, process.ordeal, self.fleet, journal, process.host or "")
        journal.keep = partial(self._keep, life)
        self.lives.append(life)
        return life

    async def _live_there(
        self,
        process: Process,
        life: HostLife,
        begin: Callable[[Run], Awaitable[tuple[Session, Callable[[], Awaitable[None]]]]],
    ) -> None:
        run = self.recovered()
        session, work = await begin(run)
        writer = HostWriter(life, self.chance, self.disk.delay_s, partial(self._handing, life), session)
        session.ledger.attach(self.build.journal(writer), send_within_s=life.journal.send_within_s, shared=True)
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(writer.run)
                await work()
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
