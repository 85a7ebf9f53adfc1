"""The loop of a host that serves scopes for the one that decides: it runs stories, and reads what it is asked for."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

import anyio
from anyio.abc import TaskGroup

from orchestrator.errors import Broken, OrchestratorError, StateError
from orchestrator.executor.ask.read_cloud import cloud_reading
from orchestrator.executor.background import last_reading, note_new_rates, services
from orchestrator.executor.decide.actions import Action
from orchestrator.executor.decide.bench import SUBNET
from orchestrator.executor.serving import Server
from orchestrator.executor.session import Session
from orchestrator.executor.supervise import Service, supervise
from orchestrator.executor.target.reverify_wave import read_wave
from orchestrator.model.record.record import ScopeLeft, ScopeServed

_MISSED = "the host that decides has taken this one for gone"

#: How often it is looked whether the serving is over, when nothing else happens.
_LOOK_S = 0.5


class ScopeServer:
    """Serves the scopes of its session until that is over.

    Args:
        session: does not lead.
        host: the name of this one.
        over: why the serving must end now; None while it goes on. Asked often.
        background: further tasks.

    Attributes:
        stopped: this process was told to stop.
        missed: the host that decides takes this one for gone; it has to begin anew, with what the log says by now.
    """

    def __init__(
        self, session: Session, host: str, over: Callable[[], str | None], background: Sequence[Service] = ()
    ) -> None:
        self.session = session
        self.performing: Action | None = None  # it decides nothing
        self.stopped = self.missed = False
        self._host = host
        self._over = over
        self._background = background
        self._changed = anyio.Event()

    def wake(self) -> None:
        """Something changed."""
        self._changed.set()

    def stop(self, why: str) -> None:
        """Begin nothing new, finish the calls under way, and leave what is left to others."""
        self.session.rollout.stop = self.session.rollout.stop or why
        self.stopped = True
        self.wake()

    async def run(self) -> str:
        """Serve; why that is over.

        Raises:
            ExceptionGroup: of `StateError` when the log cannot be written; `TakenOver` when another one serves by now.
        """
        async with anyio.create_task_group() as group:
            server = Server(self.session, group, self.wake)
            await self._join()
            for service in (*services(self.session, self.wake), *self._background):
                group.start_soon(supervise, service, self.session)
            server.take_up_open()
            self._take_up_asked()
            why = await self._guarded_loop(group, server)
            await last_reading(self.session, stopped=True)
            if self.stopped:
                self._leave()
            group.cancel_scope.cancel()
        return why

    async def _join(self) -> None:
        now, scopes = self.session.clock.now(), self.session.scopes
        await self.session.ledger.record(
            *(
                ScopeServed(at=now, scope=name, host=self._host, rate_limit=calls.lanes.pacer.nominal)
                for name, calls in scopes.items()
            )
        )

    def _leave(self) -> None:
        now, note = self.session.clock.now(), self.session.ledger.note
        with suppress(OrchestratorError):  # its silence tells the same, later
            for name in self.session.scopes:
                note(ScopeLeft(at=now, scope=name, host=self._host))

    def _take_up_asked(self) -> None:
        """What is known and asked already: addresses, the last reading of a wave, turns that who served before left."""
        rollout = self.session.rollout
        for subnet, status in self.session.run.subnets.items():
            at = self.session.run.timeline.here(status.read)
            rollout.readings[SUBNET, subnet].asked_at = rollout.readings[SUBNET, subnet].read_at = at
        waves = self.session.run.waves.values()
        rollout.asked_again = next((each.name for each in waves if each.rereading and each.done_at is None), None)
        for key, wave in self.session.run.turns.items():
            rollout.queue.begin(self.session.run.targets[key], wave)
            rollout.given.append(key)

    async def _guarded_loop(self, group: TaskGroup, server: Server) -> str:
        try:
            return await self._loop(group, server)
        except (StateError, Broken):
            raise
        except Exception as error:  # noqa: BLE001  # a bug: others go on
            self.session.ledger.part_failed("the serving of scopes", error, ends=True)
            return self.session.rollout.stop or "internal error"

    async def _loop(self, group: TaskGroup, server: Server) -> str:
        while True:
            self._changed = anyio.Event()
            self.missed = not self.session.rollout.missed.isdisjoint(self.session.scopes)
            why = self.session.rollout.stop or self._over() or (_MISSED if self.missed else None)
            if why is not None:
                return why
            server.take_up_moved()
            server.take_up_given()
            self._answer(group)
            note_new_rates(self.session)
            with anyio.move_on_after(_LOOK_S):
                await self._changed.wait()

    def _answer(self, group: TaskGroup) -> None:
        """Read what the host that decides has asked for."""
        rollout = self.session.rollout
        asked, rollout.asked = rollout.asked, []
        for reading in asked:
            if self.session.serves(reading.scope):
                group.start_soon(supervise, cloud_reading(self.session, reading), self.session)
        wave, rollout.asked_again = rollout.asked_again, None
        if wave is not None:
            service = Service(f"the last reading of wave {wave}", partial(read_wave, self.session, wave))
            group.start_soon(supervise, service, self.session)
