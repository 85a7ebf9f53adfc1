"""A session that stands still while something is due ends itself, so that its lock is free and the next start goes on.

What is on disk stays right. A slow disk is no standstill: what counts is the time for which this process could run
and the very same thing was due, so that neither a suspended process nor a busy machine is taken for one that hangs.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TypeAlias

import anyio

from orchestrator.errors import ExitCode
from orchestrator.executor.dispatch import Dispatcher
from orchestrator.tracker.journal.group_commit import JournalWriter

#: What is due: its name, and the thing itself. Done, it is never the same again.
Due: TypeAlias = tuple[str, object]

_STEP_S = 1.0
_LOOP = "the event loop"


def due_in(dispatcher: Dispatcher, writer: JournalWriter) -> Due | None:
    """What a session has begun to do and is bound to end soon."""
    if writer.under_way is not None:
        return "a record on its way to disk", writer.under_way
    return None if dispatcher.performing is None else ("the next action", dispatcher.performing)


class Watchdog:
    """Watches one session.

    Args:
        due: the thing that is to be done next by the program itself and not yet done; None when nothing is.
        end: ends the process, with the name of what stood still.
        patience_s: for so long the same thing may be due.
    """

    def __init__(self, due: Callable[[], Due | None], end: Callable[[str], None], patience_s: float) -> None:
        self._due = due
        self._end = end
        self._patience = max(1, round(patience_s / _STEP_S))
        self._over = Event()
        self._beats = self._seen = self._ticks = 0
        self._now: Due | None = None
        self._before: Due | None = None

    async def beat(self) -> None:
        """Show that the loop goes round, and what is due in it."""
        while True:
            self.look()
            await anyio.sleep(_STEP_S)

    def look(self) -> None:
        """One beat."""
        self._now, self._beats = self._due(), self._beats + 1

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch from a thread of its own, for as long as the block lasts."""
        Thread(target=self._watch, daemon=True).start()
        try:
            yield
        finally:
            self._over.set()

    def _watch(self) -> None:
        while not self._over.wait(_STEP_S):
            stood = self.tick()
            if stood is not None:
                self._end(stood)

    def tick(self) -> str | None:
        """One more second of this process has passed: the name of what has stood still for too long, or None."""
        alive, now = self._beats != self._seen, self._now
        self._seen = self._beats
        same = now is not None and self._before is not None and now[1] is self._before[1]
        self._ticks = 0 if alive and not same else self._ticks + 1
        self._before = now
        if self._ticks < self._patience:
            return None
        return now[0] if alive and now is not None else _LOOP


def end_process(stood: str) -> None:
    """Say what stood still, if anybody reads it, and end the process with 70; the kernel frees its lock."""
    words = f"orchestrator: internal error: {stood} stood still; what was sent is on disk, start it again\n"
    teller = Thread(target=os.write, args=(2, words.encode()), daemon=True)
    teller.start()
    teller.join(5.0)
    os._exit(ExitCode.INTERNAL)
