"""Checkpoints of a session: one when so many records are new that folding them again would take long."""

from typing import ClassVar

import anyio
from anyio import to_thread

from orchestrator.app.sinks.tee import RecordSink
from orchestrator.executor.dispatch import Dispatcher
from orchestrator.model.record.record import Record
from orchestrator.tracker.runs.recovery import Recovered, renew_checkpoint

#: Fewer records are folded in a fraction of a second.
_LEAST = 20_000
#: Of a long run, when a quarter is new: what all checkpoints together cost grows with the run, and no faster.
_SHARE = 4


class CheckpointKeeper(RecordSink):
    """Keeps checkpoints of the run, in a thread; the loop does no more than count.

    Args:
        recovered: the run as it was taken up.
        least: no checkpoint for fewer new records.
    """

    name: ClassVar = "the checkpoints"

    def __init__(self, recovered: Recovered, *, least: int = _LEAST) -> None:
        self._recovered = recovered
        self._least = least
        self._records = recovered.next_seq - 1
        self._kept = self._records - recovered.folded
        self._due = anyio.Event()
        self._look()

    @property
    def due(self) -> bool:
        """Whether a checkpoint is to be kept now."""
        return self._due.is_set()

    def take(self, record: Record) -> None:  # noqa: ARG002  # they are only counted
        """One more record is new."""
        self._records += 1
        self._look()

    async def serve(self, dispatcher: Dispatcher) -> None:  # noqa: ARG002  # the records on disk say it all
        """Keep a checkpoint whenever one is due."""
        while True:
            await self._due.wait()
            await self._renew()

    async def last(self) -> None:
        """Keep the last one of a session, whose journal is closed.

        Raises:
            StateError: it cannot be kept.
        """
        if self._records - self._kept >= self._least:
            await self._renew()

    async def _renew(self) -> None:
        stored, targets = self._recovered.stored, self._recovered.run.targets
        try:
            self._kept = await to_thread.run_sync(renew_checkpoint, stored, targets.values())
        finally:
            self._due = anyio.Event()  # not before: each record meanwhile would ask for the same one again
        self._look()

    def _look(self) -> None:
        if self._records - self._kept >= max(self._least, self._records // _SHARE):
            self._due.set()
