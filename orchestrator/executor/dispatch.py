"""The loop: performs the next action, and decides nothing itself. The stories of proxies are a `Server`'s.

The only module that assumes that one process decides. Where others serve scopes, it asks them by records.
"""

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, TypeAlias

import anyio
from anyio.abc import TaskGroup

from orchestrator.errors import Broken, StateError
from orchestrator.executor.ask.ask_gate import gate_question
from orchestrator.executor.ask.read_cloud import ask_to_read, cloud_reading
from orchestrator.executor.background import last_reading, note_usage, services
from orchestrator.executor.decide.actions import (
    Action,
    AskGate,
    CloseWave,
    Ending,
    Finish,
    Hold,
    OpenWave,
    ReadCloud,
    SoakWave,
    Start,
    VerifyWave,
    WaitUntil,
)
from orchestrator.executor.decide.exit_code import exit_code, session_ended
from orchestrator.executor.decide.hold_causes import causes
from orchestrator.executor.decide.next_action import next_action
from orchestrator.executor.decide.waits import Wait
from orchestrator.executor.serving import Server
from orchestrator.executor.session import Session
from orchestrator.executor.supervise import Service, supervise
from orchestrator.executor.target.reverify_wave import verify_wave
from orchestrator.model.record.part_record import USAGE
from orchestrator.model.record.record import (
    CommandIgnored,
    HoldSet,
    ReturnedToWaiting,
    RunEnded,
    Settled,
    WaveDone,
    WaveOpened,
    WaveSoaking,
)

#: The loop never spins, whatever the clocks do.
_SHORTEST_WAIT_S = 0.01

Background: TypeAlias = Callable[["Dispatcher"], Coroutine[Any, Any, None]]


def guarded(name: str, background: Background, *, vital: bool) -> Background:
    """The same task behind a bulkhead, see `supervise`."""

    async def task(dispatcher: "Dispatcher") -> None:
        await supervise(Service(name, partial(background, dispatcher), vital), dispatcher.session)

    return task


class Dispatcher:
    """Runs one session to its end.

    Args:
        session: everything the stories need.
        background: further tasks of the session, such as the one that reads a person's commands.
    """

    def __init__(self, session: Session, background: Sequence[Background] = ()) -> None:
        self.session = session
        self.waits_for: Wait | None = None
        self.performing: Action | None = None
        self._background = background
        self._changed = anyio.Event()
        self._server: Server | None = None

    def wake(self) -> None:
        """Something changed; look for the next action."""
        self._changed.set()

    def stop(self, why: str) -> None:
        """Start nothing new, finish the calls under way, and end the session."""
        self.session.rollout.stop = why
        self.wake()

    async def overrule(self, record: Settled | ReturnedToWaiting) -> None:
        """A person decides an open target: its story stops. If it cannot be decided now, that is recorded."""
        state, server = self.session.run.state(record.target or ""), self._server
        here = self.session.serves(state.target.scope)
        if server is not None and state.unanswered and (server.tells(state) or not here):
            await self._ignore(record, "an attempt is under way; its answer must come first")
            return
        if server is not None:
            await server.stop(state)
        if not state.is_open or (isinstance(record, ReturnedToWaiting) and state.jobs):
            await self._ignore(record, f"{state.key} is {state.standing} now")
            if server is not None and state.is_open and here:
                server.take_up(state)
            return
        await self.session.ledger.record(record)

    async def run(self) -> Finish:
        """Work until nothing is left to do, or nothing can be done.

        Raises:
            ExceptionGroup: of `StateError` when the journal cannot be written.
        """
        async with anyio.create_task_group() as group:
            server = self._server = Server(self.session, group, self.wake)
            for service in services(self.session, self.wake):
                group.start_soon(supervise, service, self.session)
            for background in self._background:
                group.start_soon(background, self)
            server.take_up_open()
            finish = await self._guarded_loop(group, server)
            await last_reading(self.session, stopped=finish.ending is Ending.STOPPED)
            group.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            await self._close(finish)
        return finish

    async def _guarded_loop(self, group: TaskGroup, server: Server) -> Finish:
        try:
            return await self._loop(group, server)
        except (StateError, Broken):
            raise
        except Exception as error:  # noqa: BLE001  # a bug in a decision: the session ends in good order
            self.session.ledger.part_failed("the next action", error, ends=True)
            return Finish(Ending.STOPPED, self.session.rollout.stop or "internal error")

    async def _loop(self, group: TaskGroup, server: Server) -> Finish:
        while True:
            self._changed = anyio.Event()
            server.take_up_moved()
            action = next_action(self.session.rollout, self.session.clock.now())
            if isinstance(action, Finish):
                return action
            if isinstance(action, WaitUntil):
                await self._wait(action)
            else:
                self.performing = action
                await self._perform(action, group, server)
                self.performing = None

    async def _wait(self, action: WaitUntil) -> None:
        self.waits_for = action.wait
        if action.instant is None:
            await self._changed.wait()
            return
        delay_s = (action.instant - self.session.clock.now()).total_seconds()
        with anyio.move_on_after(max(_SHORTEST_WAIT_S, delay_s)):
            await self._changed.wait()

    async def _perform(self, action: Action, group: TaskGroup, server: Server) -> None:
        ledger, now = self.session.ledger, self.session.clock.now()
        record = ledger.record
        match action:
            case Start(target=target, wave=wave):
                server.start(target, wave)
            case OpenWave(wave=wave):
                await record(WaveOpened(at=now, step="wave", wave=wave))
            case SoakWave(wave=wave, until=until):
                await record(
                    WaveSoaking(
                        at=now,
                        step="wave",
                        wave=wave,
                        until=until,
                        clocks=ledger.clocks(),
                        clouds=ledger.clouds(),
                    )
                )
            case CloseWave(wave=wave):
                held_up = tuple(self.session.rollout.queue.held_up)
                await record(WaveDone(at=now, step="wave", wave=wave, held_up=held_up, clocks=ledger.clocks()))
            case VerifyWave(wave=wave):
                self.session.rollout.verifying = wave
                group.start_soon(self._verify_wave, wave)
            case Hold():
                await self._hold(action)
            case AskGate(gate=gate):
                group.start_soon(supervise, gate_question(self.session, gate), self.session)
            case ReadCloud():
                self._read(action, group)
            case WaitUntil() | Finish():
                raise AssertionError("the loop itself performs these")

    def _read(self, action: ReadCloud, group: TaskGroup) -> None:
        if self.session.serves(action.scope):
            group.start_soon(supervise, cloud_reading(self.session, action), self.session)
        else:
            ask_to_read(self.session, action)

    async def _verify_wave(self, wave: str) -> None:
        await verify_wave(self.session, wave)
        self.wake()

    # --- records of the session --------------------------------------------------------------------------------------

    async def _ignore(self, record: Settled | ReturnedToWaiting, why: str) -> None:
        now, by = self.session.clock.now(), record.settled_by or ""
        await self.session.ledger.record(
            CommandIgnored(at=now, step="command", command=record.command, why=why, by=by, host=record.host)
        )

    async def _hold(self, action: Hold) -> None:
        await self.session.ledger.record(
            HoldSet(
                at=self.session.clock.now(),
                step="hold",
                cause=action.cause,
                reason=action.words,
                wave=action.wave,
                scope=action.scope,
                proxy_ids=causes(self.session.run, action),
            )
        )

    async def _close(self, finish: Finish) -> None:
        try:
            note_usage(self.session)
        except Exception as error:  # noqa: BLE001  # only counts: the end of the session is worth more
            self.session.ledger.part_failed(USAGE, error)
        now, ledger = self.session.clock.now(), self.session.ledger
        if self.session.run.settled == self.session.run.total:
            await ledger.record(RunEnded(at=now))
        code = exit_code(self.session.run, finish, barred=self.session.rollout.barred is not None)
        await ledger.record(session_ended(self.session.rollout, finish, code, now))
