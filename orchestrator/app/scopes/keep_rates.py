"""Writing down, while a session goes on, the rates that it finds."""

from collections.abc import Awaitable, Callable, Mapping

from orchestrator.app.scopes.rate_memory import Learned, RateMemory
from orchestrator.executor.dispatch import Background, Dispatcher
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.executor.session import Session

#: How often it is written while a session goes on; a process that is killed loses no more.
_KEEP_EVERY_S = 60.0


def learned(scopes: Mapping[str, ScopeCalls]) -> Learned:
    """What the scopes have found by now."""
    return {name: calls.lanes.pacer.learned for name, calls in scopes.items()}


def keeping(memory: RateMemory, beside: Callable[..., Awaitable[None]]) -> Background:
    """The task that writes down, while a session goes on, what it finds.

    Args:
        memory: where it is kept.
        beside: calls a function with its arguments where it holds up no loop: in a thread.
    """

    async def task(dispatcher: Dispatcher) -> None:
        await keep_on(memory, beside, dispatcher.session)

    return task


async def keep_on(memory: RateMemory, beside: Callable[..., Awaitable[None]], session: Session) -> None:
    """The same, for a session."""
    while True:
        await session.clock.sleep(_KEEP_EVERY_S)
        await beside(memory.write, memory.news(session.plan, learned(session.scopes), session.clock.now()))
