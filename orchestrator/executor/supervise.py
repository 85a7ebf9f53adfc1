"""The bulkhead around a task beside the loop: one that fails is started again, and at last given up by its name."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

import msgspec

from orchestrator.errors import Broken, StateError
from orchestrator.executor.session import Session

Task: TypeAlias = Callable[[], Coroutine[Any, Any, None]]

#: After so many failures a task is given up.
FAILURES = 3

#: How long it rests before it is started again.
_REST_S = 1.0


class Service(msgspec.Struct, frozen=True):
    """A task that a session lives with.

    Attributes:
        name: for people.
        vital: whether the session ends, in good order, when the task is given up; else it goes on without it.
    """

    name: str
    run: Task
    vital: bool = True


async def supervise(service: Service, session: Session) -> None:
    """Run a service to its end, and start it again when it fails.

    Raises:
        StateError, Broken: of a vital service; the journal cannot be written.
    """
    for failures in range(1, FAILURES + 1):
        try:
            await service.run()
        except Exception as error:
            if service.vital and isinstance(error, StateError | Broken):
                raise
            session.ledger.part_failed(service.name, error, ends=service.vital and failures == FAILURES)
            await session.clock.sleep(_REST_S)
        else:
            return
