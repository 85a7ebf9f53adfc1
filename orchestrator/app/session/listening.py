"""What a session listens to while it works: signals, and the commands of persons."""

import os
import signal
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias

import anyio

from orchestrator.app.process.signals import leave_on_stop, stop_signals
from orchestrator.app.session.apply_command import carry_out
from orchestrator.errors import ExitCode
from orchestrator.executor.background import note_usage
from orchestrator.executor.dispatch import Background, Dispatcher
from orchestrator.model.plan.commands import Command
from orchestrator.model.record.record import LimitsChanged, ReturnedToWaiting, Settled
from orchestrator.tracker.state_store import Inbox

#: Calls a function with its arguments where it holds up no loop: in a thread.
Beside: TypeAlias = Callable[..., Awaitable[list[tuple[int, Command]]]]

#: How often a running process looks for a person's commands.
_INBOX_EVERY_S = 0.4


class Stoppable(Protocol):
    """Works until it is told to stop."""

    def stop(self, why: str) -> None:
        """Start nothing new, finish the calls under way, and come to an end."""


async def obey_signals(worker: Stoppable) -> None:
    """The first signal ends the session in good order, the second at once: the journal is right at every instant."""
    stopping = False
    try:
        with anyio.open_signal_receiver(*stop_signals()) as signals:
            async for number in signals:
                if stopping:
                    os._exit(ExitCode.MORE_TO_DO)
                stopping = True
                worker.stop(f"stopped by {signal.Signals(number).name}")
    finally:  # the journal is closed and the report written, unless this is the second stop
        leave_on_stop(ExitCode.MORE_TO_DO, ignored=0 if stopping else 1)


def reading_commands(inbox: Inbox, beside: Beside) -> Background:
    """The task that looks for a person's commands as long as the session lives; see `obey_commands`."""

    async def task(dispatcher: Dispatcher) -> None:
        while True:
            await obey_commands(inbox, dispatcher, beside)
            await dispatcher.session.clock.sleep(_INBOX_EVERY_S)

    return task


async def obey_commands(inbox: Inbox, dispatcher: Dispatcher, beside: Beside) -> None:
    """Carry out what persons have asked for since the last look.

    Args:
        inbox: where they ask.
        dispatcher: of the session.
        beside: how the disk is read.
    """
    session = dispatcher.session
    for number, command in await beside(inbox.new, session.run.commands_seen):
        record = carry_out(session.run, number, command, session.clock.now())
        if isinstance(record, Settled | ReturnedToWaiting):
            await dispatcher.overrule(record)
            continue
        if isinstance(record, LimitsChanged):
            note_usage(session)  # what was used until now was allowed by the limits of until now
        await session.ledger.record(record)
        if isinstance(record, LimitsChanged):
            session.relimit()
