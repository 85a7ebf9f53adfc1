"""The slots of a rate on virtual time: the real pacer, and the real order of the lanes.

`executor.rate.lanes` itself waits on an event loop, which would cost more than everything else in a rehearsal. A test
holds the two against each other.
"""

from collections import deque

import msgspec

from orchestrator.executor.rate.fixed_rate import WindowPacer
from orchestrator.executor.rate.lane import Lane, LaneOrder
from orchestrator.forecast.virtual_time import EventQueue, Process

#: Shorter waits are none: they would drown in the rounding of virtual time.
_SHORTEST_S = 1e-6

#: Who waits longer than this many seconds for a slot is held up by the rate.
_LONG_S = 2.0


class VirtualLanes:
    """The line before the slots of one rate.

    Attributes:
        calls: how many were let through.
    """

    def __init__(self, events: EventQueue, rate: float) -> None:
        self.pacer = WindowPacer(rate)
        self.calls = 0
        self._events = events
        self._lines: dict[Lane, deque[tuple[Process, float]]] = {lane: deque() for lane in Lane}
        self._waiting = 0
        self._order = LaneOrder()
        self._service: Process | None = self._serve()

    @property
    def crowded(self) -> bool:
        """Whether the rate holds callers up."""
        return self._waiting > _LONG_S * self.pacer.nominal

    def enter(self, lane: Lane, process: Process, then_s: float) -> None:
        """Resume the process `then_s` after it has its slot."""
        if not self._waiting and self.pacer.earliest() <= self._events.now_s:
            self._let_through(process, then_s, waited=False)
            return
        self._lines[lane].append((process, then_s))
        self._waiting += 1
        if self._service is not None:
            service, self._service = self._service, None
            self._events.resume(service)

    def pass_by(self, calls: int) -> None:
        """Count calls that are so rare that they hold nobody up."""
        self.calls += calls

    def _let_through(self, process: Process, then_s: float, *, waited: bool) -> None:
        self.pacer.take(self._events.now_s, waited=waited)
        self.calls += 1
        self._events.after(then_s, process)

    def _serve(self) -> Process:
        """Serve every waiting call, then rest until one comes."""
        rest = _Rest(self)
        while True:
            delay_s = self.pacer.earliest() - self._events.now_s
            if not self._waiting:
                yield rest
            elif delay_s > _SHORTEST_S:
                yield delay_s
            else:
                self._grant()

    def _grant(self) -> None:
        lane = self._order.next(self._lines)
        if lane is None:
            return
        process, then_s = self._lines[lane].popleft()
        self._waiting -= 1
        self._let_through(process, then_s, waited=True)

    def rest(self, service: Process) -> None:
        """Nothing waits: keep the service until a call comes."""
        self._service = service


class _Rest(msgspec.Struct, frozen=True):
    lanes: VirtualLanes

    def join(self, process: Process) -> None:
        """Park the service."""
        self.lanes.rest(process)


class Call(msgspec.Struct, frozen=True):
    """A call in a lane, as something to wait for: for its slot, and then for its answer.

    Attributes:
        latency_s: how long the answer takes; 0 to be resumed as soon as the slot is there.
    """

    lanes: VirtualLanes
    lane: Lane
    latency_s: float

    def join(self, process: Process) -> None:
        """Make the call when it is its turn."""
        self.lanes.enter(self.lane, process, self.latency_s)
