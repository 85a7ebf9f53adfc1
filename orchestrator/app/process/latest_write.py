"""Writes of one file that may hang, each in a thread that nobody waits for: the latest one counts, whenever it ends."""

from collections.abc import Callable
from functools import partial
from threading import Lock


class LatestWrite:
    """Lets a write that was left to itself never come after a later one."""

    def __init__(self) -> None:
        self._one_at_a_time = Lock()
        self._latest = 0

    def make(self, write: Callable[[], None]) -> Callable[[], None]:
        """The same write, done only while no later one has been made."""
        self._latest += 1
        return partial(self._write, write, self._latest)

    def _write(self, write: Callable[[], None], turn: int) -> None:
        with self._one_at_a_time:
            if turn == self._latest:
                write()
