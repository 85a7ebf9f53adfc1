"""What stands still while something is due ends its process, so that its lock is free and the next start goes on.

What is on disk stays right. A slow disk is no standstill: what counts is the time for which this process could run
and the very same thing was due, so that neither a suspended process nor a busy machine is taken for one that hangs.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread
from typing import TypeAlias

import anyio

from orchestrator.errors import ExitCode

#: What is due: its name, and the thing itself, which is another one when the next of its kind is due.
Due: TypeAlias = tuple[str, object]

_STEP_S = 1.0
_LOOP = "the event loop"


class Watchdog:
    """Watches one session, or one discovery.

    Args:
        due: the things that the program itself has to end and has not ended yet.
        end: ends the process, with the name of what stood still.
        patience_s: for so long the same thing may be due.
    """

    def __init__(self, due: Callable[[], Sequence[Due]], end: Callable[[str], None], patience_s: float) -> None:
        self._due = due
        self._end = end
        self._patience = max(1, round(patience_s / _STEP_S))
        self._over = Event()
        self._beats = self._seen = self._silent = 0
        self._now: Sequence[Due] = ()
        self._standing: list[tuple[Due, int]] = []

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
        alive, self._seen = self._beats != self._seen, self._beats
        self._silent = 0 if alive else self._silent + 1
        self._standing = [(due, self._stood(due)) for due in self._now]
        if self._silent >= self._patience:
            return _LOOP
        return next((name for (name, _), ticks in self._standing if alive and ticks >= self._patience), None)

    def _stood(self, due: Due) -> int:
        """For how many ticks this very thing has been due."""
        return next((ticks + 1 for (_, thing), ticks in self._standing if thing is due[1]), 0)


def end_process(stood: str) -> None:
    """Say what stood still, if anybody reads it, and end the process with 70; the kernel frees its lock."""
    words = f"orchestrator: internal error: {stood} stood still; what was sent is on disk, start it again\n"
    teller = Thread(target=os.write, args=(2, words.encode()), daemon=True)
    teller.start()
    teller.join(5.0)
    os._exit(ExitCode.INTERNAL)
