"""The stories of targets that are under way in a session: who tells them, and which of them wait for an instant."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import anyio
import msgspec
from anyio.abc import TaskGroup

from orchestrator.executor.ports import Clock
from orchestrator.model.run.state import TargetState


class Stories:
    """All that are under way.

    Attributes:
        moved: another object whenever one of them has begun, ended, gone to sleep or woken up.
    """

    def __init__(self, clock: Clock) -> None:
        self.moved = object()
        self._clock = clock
        self._under_way: dict[object, TargetState] = {}
        self._asleep: dict[str, anyio.CancelScope] = {}

    @contextmanager
    def one(self, state: TargetState) -> Iterator[None]:
        """One of them, under way for as long as the block lasts."""
        each = self.moved = object()
        self._under_way[each] = state
        try:
            yield
        finally:
            del self._under_way[each]
            self.moved = object()

    async def sleep(self, state: TargetState, seconds: float) -> None:
        """Let so much time pass in the story of a target, or less when it is roused."""
        with anyio.CancelScope() as nap:
            self._asleep[state.key] = nap
            self.moved = object()
            try:
                await self._clock.sleep(seconds)
            finally:
                self._asleep.pop(state.key, None)
                self.moved = object()

    def rouse(self, key: str) -> None:
        """Let the story of a target go on, if it waits for an instant."""
        nap = self._asleep.get(key)
        if nap is not None:
            nap.cancel()

    def awake(self) -> Iterator[TargetState]:
        """The targets of those that wait for no instant, the oldest first."""
        return (state for state in self._under_way.values() if state.key not in self._asleep)


class Worker(msgspec.Struct, eq=False):
    """A task that tells one story after another.

    Attributes:
        state: of the target whose story it tells, or told last.
        ended: there once the end of that story is waited for, which is the worker's own.
    """

    state: TargetState
    ended: anyio.Event | None = None
    _scope: anyio.CancelScope = msgspec.field(default_factory=anyio.CancelScope)
    _called: anyio.Event = msgspec.field(default_factory=anyio.Event)

    def call(self, state: TargetState) -> None:
        """Tell another story."""
        self.state = state
        self._called.set()

    def break_off(self) -> anyio.Event:
        """Break its story off; what comes back is set when that has ended."""
        self.ended = self.ended or anyio.Event()
        self._scope.cancel()
        return self.ended

    async def work(self, tell: Callable[["Worker"], Awaitable[None]], idle: list["Worker"]) -> None:
        """Tell the story of its target, and others when it is called. While it waits for one it is among the idle."""
        with self._scope:
            await tell(self)
            while self.ended is None:
                idle.append(self)
                await self._called.wait()
                self._called = anyio.Event()
                await tell(self)


class Workers:
    """As many as there were stories at once: a task and a scope for each story would cost more than it is worth.

    Args:
        tell: tells the story of a worker's target, and calls `leave` at its end.
    """

    def __init__(self, tell: Callable[[Worker], Awaitable[None]]) -> None:
        self._tell = tell
        self._idle: list[Worker] = []
        self._busy: dict[str, Worker] = {}

    def take_up(self, state: TargetState, group: TaskGroup) -> None:
        """Begin the story of a target, with a worker that is idle or a new one."""
        if self._idle:
            worker = self._idle.pop()
            worker.call(state)
        else:
            worker = Worker(state)
            group.start_soon(worker.work, self._tell, self._idle)
        self._busy[state.key] = worker

    def at(self, state: TargetState) -> Worker | None:
        """Who tells the story of a target now."""
        return self._busy.get(state.key)

    def leave(self, worker: Worker) -> bool:
        """The story of a worker ends. False: its target was taken up again meanwhile."""
        if self._busy.get(worker.state.key) is not worker:
            return False
        del self._busy[worker.state.key]
        return True
