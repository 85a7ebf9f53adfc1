"""Several hosts on virtual time over one log: one decides, the others serve the scopes that it may not."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import inf
from random import Random
from typing import Any, TypeVar

import anyio
from fakes.clock import VirtualClock, run_virtual
from fakes.shared_log import SharedJournal, SharedLog
from fakes.stage import PATIENCE_S, Played, Stage, announce, assemble, fold_all, new_session, plan_of, targets_of
from msgspec import structs

from orchestrator.errors import StateError
from orchestrator.executor.decide.actions import Finish
from orchestrator.executor.decide.exit_code import exit_code
from orchestrator.executor.dispatch import Dispatcher
from orchestrator.executor.hosts.scope_server import ScopeServer
from orchestrator.executor.session import Session
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Failures, Limits, Plan, Wave
from orchestrator.model.record.record import ScopeServed
from orchestrator.model.run.run import Run
from orchestrator.tracker.journal.group_commit import JournalWriter
from orchestrator.tracker.postgres.serving.watched_silence import DEAD_S

T = TypeVar("T")

#: How long an append takes at most, there and back.
_ROUND_TRIP_S = 0.02

#: How often a host that stands by looks for something to serve.
_LOOK_S = 0.5


class VirtualWriter(JournalWriter):
    """The program's own writer, whose thread is virtual time. In a log where all is told at once it takes no time."""

    def __init__(self, session: Session, journal: SharedJournal, chance: Random) -> None:
        ledger = session.ledger
        super().__init__(
            journal,
            ledger.on_durable,
            on_others=session.on_others,
            on_failure=ledger.on_failure,
            on_overtaken=ledger.on_overtaken,
        )
        self._clock = session.clock
        self._chance = chance
        self._shared = journal
        self._at_once = journal.looks_every_s is None
        if self._at_once:
            journal.log.told.append(self._stir)

    def _stir(self) -> None:
        self._work.set()  # there is another one by now than at first

    async def _write_gathered(self) -> None:
        if self._at_once and self._shared.behind and self.failure is None:
            await self._listen()
        await super()._write_gathered()

    async def _in_thread(self, work: Callable[[], T]) -> T:
        with anyio.CancelScope(shield=True):
            await self._pass()
            done = work()
            await self._pass()
            return done
        raise AssertionError("a scope that is never cancelled ends with what it holds")

    async def _pass(self) -> None:
        if self._at_once:
            await anyio.lowlevel.checkpoint()
        else:
            await self._clock.sleep(self._chance.random() * _ROUND_TRIP_S / 2)


@dataclass(kw_only=True)
class SharedStage:
    """One session of a run that several hosts share.

    Attributes:
        lead: the stage of the host that decides; its `host` is its name.
        hosts: those that stand by for its whole length.
        comes_s: when a host comes, seconds after the session; the others are there when it begins.
        dies_s: when it dies.
        unseen_s: from when to when nothing is seen of it, though it goes on.
        clocks: makes the clock of a host's session, by its name; the others have one that is right.
        together: nothing is decided before all hosts are there.
        serving: by scope, who serves it, as it is known.
    """

    lead: Stage
    hosts: tuple[str, ...]
    comes_s: Mapping[str, float] = field(default_factory=dict)
    dies_s: Mapping[str, float] = field(default_factory=dict)
    unseen_s: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    clocks: Mapping[str, Callable[[datetime], VirtualClock]] = field(default_factory=dict)
    together: bool = False
    log: SharedLog = field(default_factory=SharedLog)
    serving: dict[str, str] = field(default_factory=dict)
    servers: list[ScopeServer] = field(default_factory=list)
    _journals: dict[str, SharedJournal] = field(default_factory=dict)
    _begun: anyio.Event = field(default_factory=anyio.Event)

    def play(self) -> Played:
        """Run the session to its end."""
        return run_virtual(self._session, seed=self.lead.seed)

    async def _session(self) -> Played:
        stage, clock = self.lead, VirtualClock(self.lead.start)
        stage.servers = lambda: {scope: host for scope, host in self.serving.items() if self._seen(host, clock)}
        self.log.records.extend(stage.records)
        stage.clouds.update(stage.open_clouds(clock))
        with anyio.fail_after(PATIENCE_S):
            async with anyio.create_task_group() as group:
                for host in self.hosts:
                    group.start_soon(self._live, host, clock)
                dispatcher, finish = await self._lead(clock)
                group.cancel_scope.cancel()
        run = dispatcher.session.run
        return Played(
            finish=finish,
            code=int(exit_code(run, finish)),
            run=run,
            records=self.log.records,
            cloud=next(iter(stage.clouds.values())),
            clouds=stage.clouds,
            dispatcher=dispatcher,
            started_at=stage.start,
            ended_at=clock.now(),
        )

    async def _lead(self, clock: VirtualClock) -> tuple[Dispatcher, Finish]:
        run = fold_all(self.lead.plan, self.log.records)
        dispatcher = assemble(self.lead, self._clock_of(self.lead, clock), run)
        async with _writing(dispatcher.session, self.log.take(), self.lead.seed):
            await announce(self.lead, dispatcher.session)
            self._begun.set()
            while self.together and not self._all_serve():
                await anyio.lowlevel.checkpoint()
            return dispatcher, await dispatcher.run()
        raise AssertionError("the writer's group ends with what it holds")

    def _clock_of(self, stage: Stage, truth: VirtualClock) -> VirtualClock:
        """The clock of a session that begins now on the stage's host."""
        made = self.clocks.get(stage.host or "")
        return truth if made is None else made(truth.start)

    def _seen(self, host: str, clock: VirtualClock) -> bool:
        begins_s, ends_s = self.unseen_s.get(host, (inf, inf))
        return not begins_s <= clock.monotonic() < ends_s

    def _all_serve(self) -> bool:
        hosts = {record.host for record in self.log.records if isinstance(record, ScopeServed)}
        return hosts >= set(self.hosts)

    async def _live(self, host: str, clock: VirtualClock) -> None:
        """Stand by once the session has begun, until the end or a death; that is noticed by its silence."""
        await self._begun.wait()
        await clock.sleep(self.comes_s.get(host, 0.0))
        async with anyio.create_task_group() as life:
            life.start_soon(self._stand_by, host, clock)
            await clock.sleep(self.dies_s.get(host, inf) - self.comes_s.get(host, 0.0))
            if host in self._journals:
                self._journals[host].lose()
            life.cancel_scope.cancel()
        await clock.sleep(DEAD_S)
        for scope in [scope for scope, server in self.serving.items() if server == host]:
            del self.serving[scope]

    async def _stand_by(self, host: str, clock: VirtualClock) -> None:
        """Serve what the host that decides may not and nobody else does."""
        while True:
            free = self._free(host)
            if free:
                self.serving.update(dict.fromkeys(free, host))
                clouds = {name: self.lead.clouds[name] for name in free}
                await self._serve(replace(self.lead, host=host, clouds=clouds), clock)
            await clock.sleep(_LOOK_S)

    def _free(self, host: str) -> list[str]:
        lead, served = self.lead.host, self.serving
        return [
            scope.name
            for scope in self.lead.plan.scopes
            if scope.served_by(host) and not scope.served_by(lead) and scope.name not in served
        ]

    async def _serve(self, stage: Stage, clock: VirtualClock) -> None:
        missed = True
        while missed:
            journal = self._journals[stage.host or ""] = self.log.join(stage.clouds)
            server = _server(stage, self._clock_of(stage, clock), fold_all(stage.plan, self.log.records))
            self.servers.append(server)
            try:
                async with _writing(server.session, journal, stage.seed):
                    await server.run()
            except* StateError:
                if not journal.lost:
                    raise
            missed = server.missed


def _server(stage: Stage, clock: VirtualClock, run: Run) -> ScopeServer:
    def wake() -> None:
        server.wake()

    server = ScopeServer(new_session(stage, clock, run, wake), stage.host or "", lambda: None)
    return server


def shared_plan(count: int, *, hosts: Mapping[str, tuple[str, ...]], **changes: Any) -> Plan:
    """A plan for so many targets in the scopes of these hosts, in which hardly anything is limited."""
    limits = Limits(in_flight=Amount(100), concurrency=10, rate=50.0, ramp=False)
    failures = Failures(max=Amount(100), max_rejected=Amount(100), mode="soft")
    values = {"limits": limits, "failures": failures, "waves": (Wave(name="all"),), **changes}
    made = plan_of(targets_of(count, scopes=tuple(hosts)), **values)
    scopes = (structs.replace(scope, hosts=hosts[scope.name]) for scope in made.scopes)
    return structs.replace(made, scopes=tuple(scopes))


@asynccontextmanager
async def _writing(session: Session, journal: SharedJournal, seed: int) -> AsyncIterator[None]:
    writer = VirtualWriter(session, journal, Random(seed))
    session.ledger.attach(writer, send_within_s=journal.send_within_s, shared=True)
    async with anyio.create_task_group() as group:
        group.start_soon(writer.run)
        yield
        await writer.aclose()
        group.cancel_scope.cancel()
