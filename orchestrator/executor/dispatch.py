"""The loop: performs the next action, runs the story of each proxy in one task group, and decides nothing itself.

The only module that assumes a single process.
"""

from collections.abc import Callable, Coroutine, Iterable, Sequence
from datetime import timedelta
from itertools import count
from typing import Any, TypeAlias

import anyio
from anyio.abc import TaskGroup

from orchestrator.executor.actions import (
    Action,
    CloseWave,
    Finish,
    Hold,
    OpenWave,
    SoakWave,
    Start,
    VerifyWave,
    WaitUntil,
)
from orchestrator.executor.calls import ScopeCalls
from orchestrator.executor.causes import causes
from orchestrator.executor.decide import next_action
from orchestrator.executor.ending import exit_code
from orchestrator.executor.gate import ScopeGone, Yielded
from orchestrator.executor.keeper import keep
from orchestrator.executor.limits import tripped
from orchestrator.executor.session import Session
from orchestrator.executor.story import upgrade_one
from orchestrator.executor.verify import reverify
from orchestrator.model.outcome import Outcome
from orchestrator.model.record import (
    HoldSet,
    ReturnedToWaiting,
    RunEnded,
    ScopeUsed,
    SessionEnded,
    Settled,
    WaveDone,
    WaveOpened,
    WaveSoaking,
)
from orchestrator.model.state import TargetState

#: How often the use of the scopes is written down.
_USAGE_EVERY_S = 10.0

#: A target whose intent was refused is not taken up again sooner than this.
_REFUSED_PAUSE = timedelta(seconds=0.5)

#: How many proxies of a wave are verified at once after its soak.
_VERIFIERS = 10

Task: TypeAlias = Callable[[], Coroutine[Any, Any, None]]
Background: TypeAlias = Callable[["Dispatcher"], Coroutine[Any, Any, None]]


class Dispatcher:
    """Runs one session to its end.

    Args:
        session: everything the stories need.
        background: further tasks of the session, such as the one that reads a person's commands.
    """

    def __init__(self, session: Session, background: Sequence[Background] = ()) -> None:
        self.session = session
        self.waits_for = ""
        self._background = background
        self._changed = anyio.Event()
        self._serials = count()
        self._workers: dict[str, tuple[int, anyio.CancelScope]] = {}

    def wake(self) -> None:
        """Something changed; look for the next action."""
        self._changed.set()

    def stop(self, why: str) -> None:
        """Start nothing new, finish the calls under way, and end the session."""
        self.session.rollout.stop = why
        self.wake()

    async def overrule(self, record: Settled | ReturnedToWaiting) -> None:
        """A person decides an open target: whoever follows it stops."""
        if record.target in self._workers:
            self._workers[record.target][1].cancel()
        await self.session.ledger.record(record)

    async def run(self) -> Finish:
        """Work until nothing is left to do, or nothing can be done.

        Raises:
            StateError: the journal cannot be written.
        """
        async with anyio.create_task_group() as group:
            for task in self._services():
                group.start_soon(task)
            for state in self.session.run.open_states():
                self._follow_up(group, state)
            finish = await self._loop(group)
            group.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            await self._close(finish)
        return finish

    def _services(self) -> Iterable[Task]:
        scopes = self.session.scopes.values()
        for lanes in {id(scope.lanes): scope.lanes for scope in scopes}.values():
            yield lanes.serve
        for scope in scopes:
            yield _keeping(scope, self.wake)
        for background in self._background:
            yield _with(background, self)
        yield self._write_usage

    async def _loop(self, group: TaskGroup) -> Finish:
        while True:
            self._changed = anyio.Event()
            action = next_action(self.session.rollout, self.session.clock.now())
            if isinstance(action, Finish):
                return action
            if isinstance(action, WaitUntil):
                await self._wait(action)
            else:
                await self._perform(action, group)

    async def _wait(self, action: WaitUntil) -> None:
        self.waits_for = action.why
        if action.instant is None:
            await self._changed.wait()
            return
        delay_s = (action.instant - self.session.clock.now()).total_seconds()
        with anyio.move_on_after(max(0.0, delay_s)):
            await self._changed.wait()

    async def _perform(self, action: Action, group: TaskGroup) -> None:
        record, now = self.session.ledger.record, self.session.clock.now()
        match action:
            case Start():
                self._start(group, action)
            case OpenWave(wave=wave):
                await record(WaveOpened(at=now, step="wave", wave=wave))
            case SoakWave(wave=wave, until=until):
                await record(WaveSoaking(at=now, step="wave", wave=wave, until=until))
            case CloseWave(wave=wave):
                await record(WaveDone(at=now, step="wave", wave=wave))
            case VerifyWave(wave=wave):
                self.session.rollout.verifying = wave
                group.start_soon(self._verify_wave, wave)
            case Hold():
                await self._hold(action)
            case WaitUntil() | Finish():
                raise AssertionError("the loop itself performs these")

    # --- workers -----------------------------------------------------------------------------------------------------

    def _start(self, group: TaskGroup, action: Start) -> None:
        queue = self.session.rollout.queue
        queue.take(action.target)
        queue.begin(action.target, action.wave)
        self._follow_up(group, self.session.run.state(action.target.proxy_id))

    def _follow_up(self, group: TaskGroup, state: TargetState) -> None:
        scope = anyio.CancelScope()
        serial = next(self._serials)
        self._workers[state.key] = (serial, scope)
        group.start_soon(self._work, state, serial, scope)

    async def _work(self, state: TargetState, serial: int, scope: anyio.CancelScope) -> None:
        with scope:
            try:
                await upgrade_one(state, self.session)
            except Yielded:
                pass
            except ScopeGone:
                if state.is_open:
                    self.session.rest(state)
            finally:
                self._leave(state, serial)

    def _leave(self, state: TargetState, serial: int) -> None:
        """A worker ends. What it had reserved and not used goes back into the queue."""
        if self._workers.get(state.key, (None,))[0] != serial:
            return
        del self._workers[state.key]
        queue = self.session.rollout.queue
        if state.key in queue.starting:
            pause = _REFUSED_PAUSE if self.session.calls(state).available else timedelta()
            queue.back(state.target, self.session.clock.now() + pause)
        self.wake()

    async def _verify_wave(self, wave: str) -> None:
        rollout = self.session.rollout
        limiter = anyio.CapacityLimiter(_VERIFIERS)
        states = (self.session.run.states[key] for key in rollout.run.waves[wave].targets)

        async def one(state: TargetState) -> None:
            async with limiter:
                try:
                    await reverify(state, self.session)
                except ScopeGone:
                    rollout.unverified.add(wave)

        async with anyio.create_task_group() as group:
            for state in [state for state in states if state.outcome is Outcome.SUCCEEDED]:
                group.start_soon(one, state)
        await self._after_soak(wave)

    async def _after_soak(self, wave: str) -> None:
        rollout = self.session.rollout
        budget = tripped(rollout)
        if budget is not None and rollout.run.hold is None:
            await self._hold(Hold(budget.cause, str(budget), wave=budget.wave, scope=budget.scope))
        if wave not in rollout.unverified:
            now = self.session.clock.now()
            await self.session.ledger.record(WaveDone(at=now, step="wave", wave=wave))
        rollout.verifying = None
        self.wake()

    # --- records of the session --------------------------------------------------------------------------------------

    async def _hold(self, action: Hold) -> None:
        await self.session.ledger.record(
            HoldSet(
                at=self.session.clock.now(),
                step="hold",
                cause=action.cause,
                reason=action.reason,
                wave=action.wave,
                scope=action.scope,
                proxy_ids=causes(self.session.run, action),
            )
        )

    async def _write_usage(self) -> None:
        while True:
            await self.session.clock.sleep(_USAGE_EVERY_S)
            self._note_usage()

    def _note_usage(self) -> None:
        for scope in self.session.scopes.values():
            if not scope.usage.calls:
                continue
            used = scope.take_usage()
            self.session.ledger.note(
                ScopeUsed(
                    at=self.session.clock.now(),
                    step="scope",
                    scope=scope.name,
                    calls=used.calls,
                    throttled=used.throttled,
                    rate_limit=scope.lanes.pacer.nominal,
                    seconds=used.seconds,
                )
            )

    async def _close(self, finish: Finish) -> None:
        self._note_usage()
        now, ledger = self.session.clock.now(), self.session.ledger
        if self.session.run.settled == self.session.run.total:
            await ledger.record(RunEnded(at=now))
        code = exit_code(self.session.run, finish)
        await ledger.record(SessionEnded(at=now, step="session", exit_code=int(code), why=finish.why))


def _keeping(scope: ScopeCalls, wake: Callable[[], None]) -> Task:
    async def task() -> None:
        await keep(scope)
        wake()

    return task


def _with(background: Background, dispatcher: Dispatcher) -> Task:
    async def task() -> None:
        await background(dispatcher)

    return task
