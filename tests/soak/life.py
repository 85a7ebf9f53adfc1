"""The life of one process: what it waits for outside itself is waited for here, so that its death ends all at once.

A death is no cancellation: nobody may clean up. Whatever is awaited raises `Died`, and so does whatever is tried after.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from soak.host_clock import RIGHT, HostClock
from soak.loop import VirtualLoop, instant

from orchestrator.executor.crash_points import Point

#: Where a process may die beside the points that the program names.
PLACES = ("record", "written", "post", "instant")


#: Where an exception may be raised beside those points: in a sink of records, where a record is counted, and in
#: a task beside the loop.
TROUBLES = ("sink", "fold", "service")

#: No sleep is shorter: time goes on, and whoever sleeps until an instant gets there.
_SHORTEST_S = 1e-5


class Died(BaseException):
    """The process was killed. Not an `Exception`: no handler of the program may swallow it."""


class Injected(Exception):
    """A bug that was put there."""


@dataclass(frozen=True)
class Death:
    """When a process is killed: at the nth time that it comes to a place.

    Attributes:
        place: a `Point`, or `record` (handed to the journal), `written` (on disk, and nobody knows), `post` (an upgrade
            call on the wire), `instant` (`nth` seconds after the start).
    """

    place: str
    nth: float

    def __str__(self) -> str:
        return f"{self.place}#{self.nth:g}"


class Life:
    """One process lifetime on virtual time. Also its clock, in the shape that executor and cloud ask for."""

    def __init__(
        self, loop: VirtualLoop, death: Death | None, raises: Death | None = None, host: HostClock = RIGHT
    ) -> None:
        self.loop = loop
        self.host = host
        self._ahead_s = host.ahead_s(loop.time())
        self.death = death
        self.raises = raises
        self.raised = False
        self.dead = False
        self.passed: Counter[str] = Counter()
        self.troubled: Counter[str] = Counter()
        self.monotonic = loop.time
        self._shown = (loop.time(), instant(loop.time() + self._ahead_s))
        self._waiting: dict[asyncio.Future[None], None] = {}
        if death is not None and death.place == "instant":
            loop.call_later(death.nth, self.die)

    def now(self) -> datetime:
        now_s = self.loop.time()
        if self._shown[0] != now_s:
            self._shown = (now_s, instant(now_s + self._ahead_s))
        return self._shown[1]

    def wall(self) -> datetime:
        now_s = self.loop.time()
        return instant(now_s + self.host.ahead_s(now_s))

    def right(self, at: datetime) -> datetime:
        """The right time of an instant of the clock that the program goes by, as far away from now."""
        return instant(self.loop.time()) + (at - self.now())

    async def sleep(self, seconds: float) -> None:
        """Return after so many virtual seconds, or die."""
        waiting = self.promise()
        timer = self.loop.call_later(max(_SHORTEST_S, seconds), _keep, waiting)
        try:
            await waiting
        finally:
            del self._waiting[waiting]
            timer.cancel()

    async def flight(self, seconds: float) -> None:
        """Let so much time pass on the wire."""
        await self.sleep(seconds)

    async def steady(self) -> None:
        """Return when the process runs, as it mostly does."""

    def sender(self, host: str) -> str:
        """Under which name its calls to a host are counted."""
        return host

    def promise(self) -> asyncio.Future[None]:
        """Something outside that will happen, unless the process dies before."""
        self.check()
        waiting = self.loop.create_future()
        self._waiting[waiting] = None
        return waiting

    async def kept(self, promise: asyncio.Future[None]) -> None:
        """Return when it has happened, or die."""
        try:
            await promise
        finally:
            del self._waiting[promise]

    def reached(self, point: Point) -> None:
        """The program comes by one of its named points."""
        self.check()
        self.come_by(point.value)
        self.trouble(point.value)

    def come_by(self, place: str) -> None:
        """A place at which the process may be meant to die."""
        self.passed[place] += 1
        if self.death is not None and self.death.place == place and self.passed[place] == self.death.nth:
            self.die()
            raise Died(place)

    def trouble(self, place: str) -> None:
        """A place at which an exception may be injected."""
        self.troubled[place] += 1
        if self.raises is not None and self.raises.place == place and self.troubled[place] == self.raises.nth:
            self.raised = True
            raise Injected(place)

    @property
    def missed(self) -> bool:
        """A record on disk was not counted in this life, for an exception was raised there."""
        return self.raised and self.raises is not None and self.raises.place == "fold"

    def check(self) -> None:
        """The dead do nothing."""
        if self.dead:
            raise Died

    def die(self) -> None:
        """Now."""
        self.dead = True
        for waiting in list(self._waiting):
            if not waiting.done():
                waiting.set_exception(Died())


async def die_with(life: Life) -> None:
    """Bring a death to the top, also when every task waits for another."""
    await life.kept(life.promise())


def _keep(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
