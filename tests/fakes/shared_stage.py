"""Several hosts on virtual time over one log: one decides, the others serve the scopes that it may not."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import TypeVar

import anyio
from fakes.clock import VirtualClock, run_virtual
from fakes.shared_log import SharedJournal, SharedLog
from fakes.stage import PATIENCE_S, Played, Stage, announce, assemble, fold_all, new_session

from orchestrator.executor.decide.actions import Finish
from orchestrator.executor.decide.exit_code import exit_code
from orchestrator.executor.dispatch import Dispatcher
from orchestrator.executor.hosts.scope_server import ScopeServer
from orchestrator.executor.session import Session
from orchestrator.model.record.record import SessionStarted
from orchestrator.tracker.journal.group_commit import JournalWriter

T = TypeVar("T")

#: How long an append takes, there and back.
_ROUND_TRIP_S = 0.01


class VirtualWriter(JournalWriter):
    """The program's own writer, whose thread is virtual time."""

    def __init__(self, session: Session, journal: SharedJournal, chance: Random) -> None:
        ledger = session.ledger
        super().__init__(journal, ledger.on_durable, on_others=session.on_others, on_overtaken=ledger.on_overtaken)
        self._clock = session.clock
        self._chance = chance

    async def _in_thread(self, work: Callable[[], T]) -> T:
        with anyio.CancelScope(shield=True):
            await self._clock.sleep(self._chance.random() * _ROUND_TRIP_S)
            done = work()
            await self._clock.sleep(self._chance.random() * _ROUND_TRIP_S)
            return done
        raise AssertionError("a scope that is never cancelled ends with what it holds")


@dataclass(kw_only=True)
class SharedStage:
    """One session of a run that several hosts share.

    Attributes:
        lead: the stage of the host that decides; its `host` is its name.
        hosts: those that stand by for its whole length.
    """

    lead: Stage
    hosts: tuple[str, ...]
    log: SharedLog = field(default_factory=SharedLog)
    serving: dict[str, str] = field(default_factory=dict)

    def play(self) -> Played:
        """Run the session to its end."""
        return run_virtual(self._session, seed=self.lead.seed)

    async def _session(self) -> Played:
        stage, clock = self.lead, VirtualClock(self.lead.start)
        stage.servers = lambda: self.serving
        self.log.records.extend(stage.records)
        stage.clouds.update(stage.open_clouds(clock))
        with anyio.fail_after(PATIENCE_S):
            async with anyio.create_task_group() as group:
                for host in self.hosts:
                    group.start_soon(self._stand_by, host, clock)
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
        dispatcher = assemble(self.lead, clock, run)
        async with _writing(dispatcher.session, self.log.take(), self.lead.seed):
            await announce(self.lead, dispatcher.session)
            return dispatcher, await dispatcher.run()
        raise AssertionError("the writer's group ends with what it holds")

    async def _stand_by(self, host: str, clock: VirtualClock) -> None:
        """Serve what the host that decides may not and nobody else does, once its session has begun."""
        while not self.log.epoch or not any(isinstance(each, SessionStarted) for each in self.log.records):
            await clock.sleep(0.5)
        stage = replace(self.lead, host=host)
        free = [
            scope.name
            for scope in stage.plan.scopes
            if scope.served_by(host) and not scope.served_by(self.lead.host) and scope.name not in self.serving
        ]
        if free:
            self.serving.update(dict.fromkeys(free, host))
            await self._serve(replace(stage, clouds={name: stage.clouds[name] for name in free}), host, clock)

    async def _serve(self, stage: Stage, host: str, clock: VirtualClock) -> None:
        journal = self.log.join()

        def wake() -> None:
            server.wake()

        session = new_session(stage, clock, fold_all(stage.plan, self.log.records), wake)
        server = ScopeServer(session, host, lambda: None)
        async with _writing(session, journal, self.lead.seed):
            await server.run()


@asynccontextmanager
async def _writing(session: Session, journal: SharedJournal, seed: int) -> AsyncIterator[None]:
    writer = VirtualWriter(session, journal, Random(seed))
    session.ledger.attach(writer, send_within_s=journal.send_within_s, shared=True)
    async with anyio.create_task_group() as group:
        group.start_soon(writer.run)
        yield
        await writer.aclose()
        group.cancel_scope.cancel()
