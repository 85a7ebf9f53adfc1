"""Brings notices to their receivers: each has its own task, time-out and backoff, so that none waits for another."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from threading import Lock
from typing import TypeAlias

import anyio

from orchestrator.app.notify.box import Box
from orchestrator.app.notify.notice import Notice
from orchestrator.app.notify.receivers import ATTEMPT_S, Receiver
from orchestrator.app.notify.untold import why_untold

Beside: TypeAlias = Callable[[Callable[[], None], str], Awaitable[None]]
Sleep: TypeAlias = Callable[[float], Awaitable[None]]

#: After a failure a receiver is left alone for so long, then twice as long each time.
_FIRST_PAUSE_S = 5.0
_LONGEST_PAUSE_S = 300.0

#: After so many failures in a row it is reported.
_REPORTED_AFTER = 3


class Courier:
    """Empties a box.

    Args:
        box: only this object and what is put in by `put` changes it.
        keep: makes the work that keeps the box where a crash does not reach it.
        beside: runs work that may block beside the event loop.

    Attributes:
        failures: why a receiver was not told at the last try, by its name.
    """

    def __init__(
        self, box: Box, to: Sequence[Receiver], keep: Callable[[bytes], Callable[[], None]], beside: Beside
    ) -> None:
        self.failures: dict[str, str] = {}
        self._box = box
        self._to = to
        self._keep = keep
        self._beside = beside
        self._changed = anyio.Event()
        self._doors = {each.name: Lock() for each in to}
        self._took: set[tuple[str, str]] = set()

    def put(self, notice: Notice) -> None:
        """A notice was made."""
        self._box.put(notice, [each.name for each in self._to if notice.kind in each.kinds])
        self._announce()

    async def serve(self, sleep: Sleep, report: Callable[[str, str], None]) -> None:
        """Tell everybody of everything, again and again, until cancelled.

        Args:
            sleep: waits.
            report: called once with the name of a receiver that cannot be told, and why.
        """
        async with anyio.create_task_group() as group:
            for receiver in self._to:
                group.start_soon(self._attend, receiver, sleep, report)
            while True:
                changed = self._changed
                await self._beside(self._keep(self._box.encode()), "the notifications")
                await changed.wait()

    async def last_round(self, limit_s: float) -> None:
        """Tell each receiver once more of what it does not know yet, in order, until it fails; within a time."""
        with anyio.move_on_after(limit_s):
            async with anyio.create_task_group() as group:
                for receiver in self._to:
                    group.start_soon(self._tell_all, receiver)

    async def _attend(self, receiver: Receiver, sleep: Sleep, report: Callable[[str, str], None]) -> None:
        failures, pause = 0, _FIRST_PAUSE_S
        while True:
            changed = self._changed
            await self._tell_all(receiver)
            why = self.failures.get(receiver.name)
            if why is None:
                failures, pause = 0, _FIRST_PAUSE_S
                await changed.wait()
                continue
            failures += 1
            if failures == _REPORTED_AFTER:
                report(receiver.name, why)
            await sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    async def _tell_all(self, receiver: Receiver) -> None:
        """In order, up to the first failure."""
        while (notice := self._box.next_for(receiver.name)) is not None:
            why = await self._try(receiver, notice)
            if why is not None:
                self.failures[receiver.name] = why
                return
            self._box.told(notice, receiver.name)
            self._announce()
        self.failures.pop(receiver.name, None)

    def _announce(self) -> None:
        """The box has changed."""
        before, self._changed = self._changed, anyio.Event()
        before.set()

    async def _try(self, receiver: Receiver, notice: Notice) -> str | None:
        """Why it was not told; None when it was."""
        try:
            with anyio.fail_after(ATTEMPT_S):
                await self._beside(partial(self._tell_once, receiver, notice), receiver.name)
        except Exception as error:  # noqa: BLE001  # a bulkhead: one receiver touches no other
            return why_untold(error, ATTEMPT_S)
        return None

    def _tell_once(self, receiver: Receiver, notice: Notice) -> None:
        """One at a time: what was left to itself, as at the end of a session, may have told it meanwhile."""
        with self._doors[receiver.name]:
            if (notice.id, receiver.name) not in self._took:
                receiver.tell(notice)
                self._took.add((notice.id, receiver.name))
