"""The tasks that run beside the loop as long as a session lives: pacing, keeping scopes usable, noting their use."""

from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeAlias

from orchestrator.executor.calls import ScopeCalls
from orchestrator.executor.keeper import keep
from orchestrator.executor.lanes import Lanes
from orchestrator.executor.session import Session
from orchestrator.model.record import ScopeUsed

#: How often the use of the scopes is written down.
_USAGE_EVERY_S = 30.0

Task: TypeAlias = Callable[[], Coroutine[Any, Any, None]]


def services(session: Session, wake: Callable[[], None]) -> Iterator[Task]:
    """Every task that a session needs; `wake` makes the loop look for the next action."""
    scopes = session.scopes.values()
    for lanes in {id(scope.lanes): scope.lanes for scope in scopes}.values():
        yield lanes.serve
        yield _releasing(lanes, wake)
    for scope in scopes:
        yield _keeping(scope, wake)
    yield _noting_usage(session)


def note_usage(session: Session) -> None:
    """Write down how much each scope was used since the last time."""
    for scope in session.scopes.values():
        used = scope.take_usage()
        if not used.calls:
            continue
        session.ledger.note(
            ScopeUsed(
                at=session.clock.now(),
                step="scope",
                scope=scope.name,
                calls=used.calls,
                throttled=used.throttled,
                rate_limit=scope.lanes.pacer.nominal,
                seconds=used.seconds,
            )
        )


def _noting_usage(session: Session) -> Task:
    async def task() -> None:
        while True:
            await session.clock.sleep(_USAGE_EVERY_S)
            note_usage(session)

    return task


def _releasing(lanes: Lanes, wake: Callable[[], None]) -> Task:
    async def task() -> None:
        while True:
            await lanes.until_released()
            wake()

    return task


def _keeping(scope: ScopeCalls, wake: Callable[[], None]) -> Task:
    async def task() -> None:
        await keep(scope)
        wake()

    return task
