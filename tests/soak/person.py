"""The people of a trial: they hold, release and settle, mostly by what they see in the cloud, sometimes carelessly."""

from random import Random
from typing import Literal, get_args

from soak.fleet import Fleet, Ordeal
from soak.life import Life
from soak.loop import instant

from orchestrator.app.session.apply_command import carry_out
from orchestrator.executor.dispatch import Dispatcher
from orchestrator.model.plan.commands import Command, HoldCommand, ReleaseCommand, SettleCommand
from orchestrator.model.record.record import ReturnedToWaiting, Settled
from orchestrator.model.reply.version import same_version
from orchestrator.model.run.state import TargetState
from orchestrator.simulator.cloud import SimulatedCloud

Answer = Literal["not_sent", "succeeded", "failed"]
_ANSWERS: tuple[Answer, ...] = get_args(Answer)
_USER, _NOTE = "operator", "as seen in the console"


class Person:
    """One operator. Sees the cloud's books, as a person sees the console."""

    def __init__(self, fleet: Fleet, cloud: SimulatedCloud, chance: Random) -> None:
        self._fleet = fleet
        self._cloud = cloud
        self._chance = chance

    async def before(self, dispatcher: Dispatcher, life: Life, *, settle: bool) -> None:
        """What was typed since the last process ended: read before the loop starts."""
        run = dispatcher.session.run
        if run.hold is not None:
            wave = run.hold.wave if run.hold.cause == "approval" else None
            await self._order(dispatcher, ReleaseCommand(user=_USER, note=_NOTE, wave=wave, at=run.hold.at))
        if settle:
            await self.settle_all(dispatcher, life)

    async def during(self, dispatcher: Dispatcher, ordeal: Ordeal, life: Life) -> None:
        """What is typed while the process runs."""
        if ordeal.hold_s is not None:
            await life.sleep(ordeal.hold_s)
            await self._order(dispatcher, HoldCommand(user=_USER, note=_NOTE, at=life.now()))
            await life.sleep(self._chance.uniform(1, 120))
            await self._order(dispatcher, ReleaseCommand(user=_USER, note=_NOTE, at=life.now()))
        if ordeal.settles_s is not None:
            await life.sleep(ordeal.settles_s)
            await self.settle_all(dispatcher, life)

    async def settle_all(self, dispatcher: Dispatcher, life: Life) -> None:
        """Decide every open target whose fate can be seen."""
        for state in dispatcher.session.run.open_states():
            outcome = self._sees(state, life)
            if outcome is not None:
                now = dispatcher.session.clock.now()
                command = SettleCommand(proxy_id=state.key, outcome=outcome, user=_USER, note=_NOTE, at=now)
                await self._order(dispatcher, command)

    def _sees(self, state: TargetState, life: Life) -> Answer | None:
        if self._chance.random() < self._fleet.careless:
            return self._chance.choice(_ANSWERS)
        now = instant(life.monotonic())
        self._cloud.advance(now)
        proxy = self._cloud.world.proxy(state.key)
        starts = self._cloud.books.starts_of(state.key)
        if proxy is None or any(job.running(now.timestamp()) for job in starts if job.ends_at < float("inf")):
            return None
        if not starts:
            return "not_sent"
        arrived = same_version(proxy.version_at(now.timestamp()), self._fleet.plan.target_version)
        return "succeeded" if arrived else "failed"

    async def _order(self, dispatcher: Dispatcher, command: Command) -> None:
        session = dispatcher.session
        number = session.run.commands_seen + 1
        record = carry_out(session.run, number, command, session.clock.now())
        if isinstance(record, Settled | ReturnedToWaiting):
            await dispatcher.overrule(record)
        else:
            await session.ledger.record(record)
