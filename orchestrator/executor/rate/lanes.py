"""Who goes next: callers wait in lanes for the slots of a pacer. Scopes that share a rate share one `Lanes`.

Attempts go before preflights, and polls get at least 30 % of the slots while they have work. Callers that are about to
start something are sent home when the cloud throttles; polls wait it out.
"""

from collections import deque
from math import inf

import anyio

from orchestrator.executor.ports import Clock
from orchestrator.executor.rate.change_rate import changed_rate
from orchestrator.executor.rate.lane import Lane, LaneOrder
from orchestrator.executor.rate.pacer import Pacer
from orchestrator.model.reply.reply import Quota


class _Waiter:
    __slots__ = ("event", "granted")

    def __init__(self) -> None:
        self.event = anyio.Event()
        self.granted = False


class Lanes:
    """The line before a pacer. `serve` must run in a task for anybody to be let through late.

    Attributes:
        met_until_s: the end of the last pause that the cloud asked of a caller of these lanes, and of no other process.
    """

    def __init__(self, pacer: Pacer, clock: Clock) -> None:
        self.pacer = pacer
        self.met_until_s = -inf
        self._clock = clock
        self._lines: dict[Lane, deque[_Waiter]] = {lane: deque() for lane in Lane}
        self._arrived = anyio.Event()
        self._throttled = anyio.Event()
        self._held = anyio.Event()
        self._order = LaneOrder()

    @property
    def held_s(self) -> float:
        """For how many seconds from now the cloud asked everybody to wait."""
        return max(0.0, self.pacer.held_until - self._clock.monotonic())

    def keep_to(self, rate: float | None) -> None:
        """Another rate, in calls per second; None: it is to be found out."""
        self.pacer = changed_rate(self.pacer, rate)
        self._arrived.set()

    async def turn(self, lane: Lane) -> bool:
        """Wait for a slot. False: the cloud throttles, and a call of this lane had better not wait for it."""
        if self._goes_home(lane):
            return False
        if not self._crowded and not self.pacer.claim(self._clock.monotonic(), waited=False):
            return True
        self._heed()
        if self._goes_home(lane):  # by what another process was told
            return False
        return await self._wait(lane)

    def answered(self, sent_s: float, kind: str) -> None:
        """A call that left then was answered, and not refused as one too many."""
        self.pacer.answered(sent_s, self._clock.monotonic(), kind)

    def throttle(
        self, wait_s: float, *, sent_s: float | None = None, server_named_pause: bool = True, quota: Quota | None = None
    ) -> None:
        """Hold every lane, and send home each caller that was about to start something.

        Arguments as of `Pacer.throttle`.
        """
        self.pacer.throttle(
            self._clock.monotonic(), wait_s, sent_s=sent_s, server_named_pause=server_named_pause, quota=quota
        )
        self.met_until_s = self.pacer.held_until
        self._heed()
        self._send_home()

    async def until_held(self, after_s: float) -> None:
        """Return when the cloud has everybody wait beyond this instant; what other processes were told counts."""
        while self.pacer.held_until <= after_s:
            await self._held.wait()

    async def until_released(self) -> None:
        """Return at the end of the present pause, or of the next one, that the cloud asked for."""
        await self._throttled.wait()
        while self.held_s > 0:
            await self._clock.sleep(self.held_s)
        self._throttled = anyio.Event()

    async def serve(self) -> None:
        """Let waiting callers through, one slot after the other, for ever."""
        while True:
            if not self._crowded:
                self._arrived = anyio.Event()
                await self._arrived.wait()
            delay_s = self.pacer.claim(self._clock.monotonic(), waited=True)
            if delay_s <= 0:
                self._grant()
                continue
            if self.held_s > 0:
                self._heed()
                self._send_home()
            await self._clock.sleep(delay_s)

    def _heed(self) -> None:
        """Let those know who wait for a pause."""
        if self.held_s > 0:
            self._held.set()
            self._held = anyio.Event()

    def _goes_home(self, lane: Lane) -> bool:
        """Whether a call of this lane had better not wait for the end of a pause."""
        if lane is Lane.POLL or self.held_s <= 0:
            return False
        self._throttled.set()
        return True

    def _send_home(self) -> None:
        """Nothing leaves for a while: whoever was about to start something need not wait for it."""
        self._throttled.set()
        for lane in (Lane.SEND, Lane.START):
            while self._lines[lane]:
                self._lines[lane].popleft().event.set()

    @property
    def _crowded(self) -> bool:
        return any(self._lines.values())

    async def _wait(self, lane: Lane) -> bool:
        waiter = _Waiter()
        self._lines[lane].append(waiter)
        self._arrived.set()
        try:
            await waiter.event.wait()
        except BaseException:
            if not waiter.event.is_set():
                self._lines[lane].remove(waiter)
            raise
        return waiter.granted

    def _grant(self) -> None:
        """Let the next caller use the slot that was taken."""
        lane = self._order.next(self._lines)
        if lane is None:
            return
        waiter = self._lines[lane].popleft()
        waiter.granted = True
        waiter.event.set()
