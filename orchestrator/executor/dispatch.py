"""The loop: performs the next action, runs the story of each proxy in one task group, and decides nothing itself.

The only module that assumes a single process.
"""

from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, TypeAlias

import anyio
from anyio.abc import TaskGroup

from orchestrator.errors import Broken, StateError
from orchestrator.executor.ask_gate import gate_question
from orchestrator.executor.background import last_reading, note_usage, services
from orchestrator.executor.bulkhead import break_off
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
from orchestrator.executor.ledger import SetAside
from orchestrator.executor.read_cloud import cloud_reading
from orchestrator.executor.scope.gate import ScopeGone, Yielded
from orchestrator.executor.scope.poll_schedule import REFUSED_PAUSE
from orchestrator.executor.session import Session
from orchestrator.executor.stories import Worker, Workers
from orchestrator.executor.supervise import Service, supervise
from orchestrator.executor.target.reverify_wave import verify_wave
from orchestrator.executor.target.upgrade_one import upgrade_one
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
        self._workers = Workers(self._story)
        self._group: TaskGroup | None = None

    def wake(self) -> None:
        """Something changed; look for the next action."""
        self._changed.set()

    def stop(self, why: str) -> None:
        """Start nothing new, finish the calls under way, and end the session."""
        self.session.rollout.stop = why
        self.wake()

    async def overrule(self, record: Settled | ReturnedToWaiting) -> None:
        """A person decides an open target: its story stops. If it cannot be decided now, that is recorded."""
        state = self.session.run.state(record.target or "")
        worker = self._workers.at(state)
        if worker is not None and state.unanswered:
            await self._ignore(record, "an attempt is under way; its answer must come first")
            return
        if worker is not None:
            self.session.moved_by_others.pop(state.key, None)  # nobody takes it up between the stop and the record
            await worker.stop()
        if not state.is_open or (isinstance(record, ReturnedToWaiting) and state.jobs):
            await self._ignore(record, f"{state.key} is {state.standing} now")
            if self._group is not None and state.is_open:
                self._workers.take_up(state, self._group)
            return
        await self.session.ledger.record(record)

    async def run(self) -> Finish:
        """Work until nothing is left to do, or nothing can be done.

        Raises:
            ExceptionGroup: of `StateError` when the journal cannot be written.
        """
        if self.session.run.limits is not None:
            self.session.relimit()
        async with anyio.create_task_group() as group:
            self._group = group
            for service in services(self.session, self.wake):
                group.start_soon(supervise, service, self.session)
            for background in self._background:
                group.start_soon(background, self)
            for state in self.session.run.open_states():
                if state.set_aside:
                    self.session.rest(state)
                else:
                    self._workers.take_up(state, group)
            finish = await self._guarded_loop(group)
            await last_reading(self.session, stopped=finish.ending is Ending.STOPPED)
            group.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            await self._close(finish)
        return finish

    async def _guarded_loop(self, group: TaskGroup) -> Finish:
        try:
            return await self._loop(group)
        except (StateError, Broken):
            raise
        except Exception as error:  # noqa: BLE001  # a bug in a decision: the session ends in good order
            self.session.ledger.part_failed("the next action", error, ends=True)
            return Finish(Ending.STOPPED, self.session.rollout.stop or "internal error")

    async def _loop(self, group: TaskGroup) -> Finish:
        while True:
            self._changed = anyio.Event()
            self._take_up_moved(group)
            action = next_action(self.session.rollout, self.session.clock.now())
            if isinstance(action, Finish):
                return action
            if isinstance(action, WaitUntil):
                await self._wait(action)
            else:
                self.performing = action
                await self._perform(action, group)
                self.performing = None

    async def _wait(self, action: WaitUntil) -> None:
        self.waits_for = action.wait
        if action.instant is None:
            await self._changed.wait()
            return
        delay_s = (action.instant - self.session.clock.now()).total_seconds()
        with anyio.move_on_after(max(_SHORTEST_WAIT_S, delay_s)):
            await self._changed.wait()

    async def _perform(self, action: Action, group: TaskGroup) -> None:
        ledger, now = self.session.ledger, self.session.clock.now()
        record = ledger.record
        match action:
            case Start():
                self._start(group, action)
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
                group.start_soon(supervise, cloud_reading(self.session, action), self.session)
            case WaitUntil() | Finish():
                raise AssertionError("the loop itself performs these")

    # --- workers -----------------------------------------------------------------------------------------------------

    def _start(self, group: TaskGroup, action: Start) -> None:
        queue = self.session.rollout.queue
        queue.take(action.target)
        queue.begin(action.target, action.wave)
        self._workers.take_up(self.session.run.state(action.target.proxy_id), group)

    def _take_up_moved(self, group: TaskGroup) -> None:
        """What another host has written may open a target whose story has ended here: it is told from there."""
        moved, resting = self.session.moved_by_others, self.session.rollout.resting
        for state in [each for each in moved.values() if self._workers.at(each) is None]:
            del moved[state.key]
            if state.is_open and state.key not in resting:
                self._workers.take_up(state, group)

    async def _story(self, worker: Worker) -> None:
        state = worker.state
        with self.session.stories.one(state):
            try:
                await upgrade_one(state, self.session)
            except Yielded:
                pass  # it waits again, see `_leave`
            except (ScopeGone, SetAside):
                if state.is_open:
                    self.session.rest(state)
            except (StateError, Broken):
                raise  # nothing can be recorded any more, of nobody
            except Exception as error:  # noqa: BLE001  # a bulkhead: whatever it is, it touches this target alone
                await break_off(state, self.session, error)
            finally:
                if worker.ended is not None:
                    worker.ended.set()
                self._leave(worker)

    def _leave(self, worker: Worker) -> None:
        """A story ends. What it had reserved and not used goes back into the queue."""
        if not self._workers.leave(worker):
            return
        state = worker.state
        queue = self.session.rollout.queue
        if state.key in queue.starting and state.is_open:
            queue.sent(state.target)  # set aside: what held a reservation holds a slot
        elif state.key in queue.starting and state.key in self.session.rollout.broken:
            queue.sit_out(state.target)
        elif state.key in queue.starting:
            pause = REFUSED_PAUSE if self.session.calls(state).available else timedelta()
            queue.back(state.target, self.session.clock.now() + pause)
        self.wake()

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
