"""Natural group commit: whatever has gathered while the disk was busy is written and synced next, in one go.

The loop never waits for the disk: a worker thread writes, one group at a time, and the order of the calls is the order
in the file. It decides nothing, and never tries a failed write again. Whatever goes wrong, all who wait are woken.
"""

from collections.abc import Callable
from functools import partial

import anyio
from anyio import CapacityLimiter, to_thread

from orchestrator.errors import Broken, OrchestratorError, StateError, host_error, place_of
from orchestrator.model.record import Record
from orchestrator.tracker.state_store import OpenJournal


class Group:
    """Records that are written together, and what became of them. Each caller that handed one over waits here."""

    __slots__ = ("_done", "_failure", "records")

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._done = anyio.Event()
        self._failure: OrchestratorError | None = None

    @property
    def done(self) -> bool:
        """Whether it is known what became of the records."""
        return self._done.is_set()

    async def wait(self) -> None:
        """Return when the records are on disk. Being cancelled here loses nothing: they are written all the same.

        Raises:
            StateError: they could not be written.
            Broken: the writer has failed.
        """
        await self._done.wait()
        if self._failure is not None:
            raise again(self._failure)

    def settle(self, failure: OrchestratorError | None = None) -> None:
        """Tell everybody who waits."""
        self._failure = failure
        self._done.set()


class JournalWriter:
    """The journal as the executor sees it. `run` must be running in a task group for anything to be written.

    Args:
        journal: open; nobody else may use it any more.
        on_durable: called on the loop with each record, in the journal's order, once it is on disk and before those
            that wait for it go on.
    """

    def __init__(self, journal: OpenJournal, on_durable: Callable[[Record], None]) -> None:
        self._journal = journal
        self._on_durable = on_durable
        self._gathering = Group()
        self._work = anyio.Event()
        self._ended = anyio.Event()
        self._limiter = CapacityLimiter(1)
        self._running = False
        self._closing = False
        self.under_way: Group | None = None
        self.failure: OrchestratorError | None = None

    def append_nowait(self, record: Record) -> Group:
        """Hand over a record. It is written in any case; `wait` of what is returned tells when it is on disk.

        Raises:
            StateError: an earlier write failed, or the journal is closed.
        """
        if self.failure is not None:
            raise again(self.failure)
        if self._closing:
            raise StateError(f"{self._journal}: the journal is closed")
        self._gathering.records.append(record)
        self._work.set()
        return self._gathering

    async def append(self, record: Record) -> None:
        """Return when a record is on disk.

        Raises:
            StateError: it could not be written.
        """
        await self.append_nowait(record).wait()

    async def run(self) -> None:
        """Write what gathers, until the journal is closed or a write fails. Cancelled, it still writes what it has.

        Called again, it only waits for the end.
        """
        if self._running:  # `aclose` was faster
            await self._ended.wait()
            return
        self._running = True
        try:
            while not (self._closing or self.failure):
                await self._work.wait()
                await self._write_gathered()
        finally:
            self._closing = True
            with anyio.CancelScope(shield=True):
                await self._write_gathered()
                await self._expect_whole()
            self._journal.close()
            self._ended.set()

    async def aclose(self) -> None:
        """Write what has gathered and close the journal; nothing can be appended any more.

        Raises:
            StateError: this or an earlier write failed, so that records are missing which perhaps nobody waited for.
        """
        self._closing = True
        self._work.set()
        await self.run()
        if self.failure is not None:
            raise again(self.failure)

    async def _write_gathered(self) -> None:
        self._work = anyio.Event()
        group, self._gathering = self._gathering, Group()
        if self.failure is None and group.records:
            await self._write(group)
        if self.failure is not None:
            group.settle(self.failure)

    async def _write(self, group: Group) -> None:
        self.under_way = group
        try:
            await self._in_thread(partial(self._journal.append, group.records))
            for record in group.records:
                self._on_durable(record)
        except OrchestratorError as error:
            self.failure = error
        except BaseException as error:
            self.failure = host_error(error) or Broken(f"the journal's writer failed: {place_of(error)}")
            if not isinstance(error, Exception):
                group.settle(self.failure)
                raise
        else:
            group.settle()
        finally:
            self.under_way = None

    async def _expect_whole(self) -> None:
        if self.failure is None:
            try:
                await self._in_thread(self._journal.expect_whole)
            except StateError as error:
                self.failure = error

    async def _in_thread(self, work: Callable[[], None]) -> None:
        # Shielded, because a record that was handed over is written even if everybody who cared was cancelled.
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(work, limiter=self._limiter)


def again(error: OrchestratorError) -> OrchestratorError:
    """The same error again, so that every waiter gets its own traceback."""
    return type(error)(str(error), hint=error.hint)
