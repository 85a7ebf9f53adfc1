"""Virtual time: what happens next, and the processes that wait for it. Hours pass in milliseconds, without chance."""

from collections import deque
from collections.abc import Generator
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import Protocol, TypeAlias

#: A story that goes on step by step; it yields seconds to wait, or a line to stand in.
Process: TypeAlias = Generator["float | Waitable", None, None]


class Waitable(Protocol):
    """Something that a process may have to wait for."""

    def join(self, process: Process) -> None:
        """Take the process over, and resume it when it is its turn."""


class EventQueue:
    """The instants at which something happens, in order.

    Args:
        start: the instant at which virtual time is 0.

    Attributes:
        now_s: seconds since the start.
    """

    def __init__(self, start: datetime) -> None:
        self.start = start
        self.now_s = 0.0
        self._heap: list[tuple[float, int, Process | None]] = []
        self._number = 0
        self._now = (0.0, start)

    @property
    def now(self) -> datetime:
        """The present instant."""
        if self._now[0] != self.now_s:
            self._now = (self.now_s, self.start + timedelta(seconds=self.now_s))
        return self._now[1]

    def seconds_at(self, instant: datetime) -> float:
        """The virtual time of an instant."""
        return (instant - self.start).total_seconds()

    def after(self, seconds: float, process: Process | None) -> None:
        """Resume a process then; None only brings time forward to there."""
        self._number += 1
        heappush(self._heap, (self.now_s + seconds, self._number, process))

    def step(self) -> bool:
        """Let the next thing happen. False: there is nothing left."""
        if not self._heap:
            return False
        self.now_s, _, process = heappop(self._heap)
        if process is not None:
            self.resume(process)
        return True

    def resume(self, process: Process) -> None:
        """Let a process go on until it has to wait."""
        wait = next(process, None)
        if isinstance(wait, float):
            self.after(wait, process)
        elif wait is not None:
            wait.join(process)


class Permits:
    """So many processes at a time, in the order in which they came."""

    def __init__(self, events: EventQueue, number: int) -> None:
        self._events = events
        self._free = number
        self._waiting: deque[Process] = deque()

    def join(self, process: Process) -> None:
        """Take a permit, or stand in line for one."""
        if self._free:
            self._free -= 1
            self._events.after(0.0, process)
        else:
            self._waiting.append(process)

    def release(self) -> None:
        """Give a permit back; the first in line has it."""
        if self._waiting:
            self._events.after(0.0, self._waiting.popleft())
        else:
            self._free += 1
