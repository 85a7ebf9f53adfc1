"""The stories of targets that are under way in a session, and which of them wait for an instant."""

from collections.abc import Iterator
from contextlib import contextmanager

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
        self._asleep: set[str] = set()

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
        """Let so much time pass in the story of a target."""
        self._asleep.add(state.key)
        self.moved = object()
        try:
            await self._clock.sleep(seconds)
        finally:
            self._asleep.discard(state.key)
            self.moved = object()

    def awake(self) -> Iterator[TargetState]:
        """The targets of those that wait for no instant, the oldest first."""
        return (state for state in self._under_way.values() if state.key not in self._asleep)
