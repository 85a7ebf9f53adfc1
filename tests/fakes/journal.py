"""A journal in memory, with the interface of `orchestrator.tracker.journal.group_commit.JournalWriter`."""

from collections.abc import Callable

from orchestrator.errors import StateError
from orchestrator.model.record.record import Record
from orchestrator.tracker.journal.group_commit import Group


class MemoryJournal:
    """Keeps records in order, and counts them as durable at once.

    Attributes:
        records: everything that was appended, in order.
        fails_at: number of records after which every append fails, as a full disk would make it; None for never.
    """

    def __init__(self, on_durable: Callable[[Record], None], *, fails_at: int | None = None) -> None:
        self.records: list[Record] = []
        self.fails_at = fails_at
        self._on_durable = on_durable

    def append_nowait(self, record: Record) -> Group:
        if self.fails_at is not None and len(self.records) >= self.fails_at:
            raise StateError("memory: cannot write to the journal: No space left on device")
        self.records.append(record)
        group = Group()
        self._on_durable(record)
        group.settle()
        return group

    async def append(self, record: Record) -> None:
        await self.append_nowait(record).wait()

    async def run(self) -> None:
        """Nothing is left to be written."""

    async def aclose(self) -> None:
        """Nothing is left to be written."""
