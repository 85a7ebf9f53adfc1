"""Natural group commit: whatever has gathered while the disk was busy is written and synced next, in one go.

The loop never waits for the disk: a worker thread writes, one group at a time, and the order of the calls is the order
in the file. It decides nothing, and never tries a failed write again. Whatever goes wrong, all who wait are woken.

Where several hosts share a journal, what another one has added counts before what is written after it. An intent that
was overtaken by such a record is not written, and whoever handed it over may ask anew. A host that has been replaced
goes on writing what the cloud answers, and nothing else.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import anyio
from anyio import CapacityLimiter, to_thread

from orchestrator.errors import Broken, OrchestratorError, StateError, TakenOver, host_error, place_of
from orchestrator.model.record.record import AnswerSeen, Intent, Record
from orchestrator.tracker.journal.restricting import overtakes
from orchestrator.tracker.open_journal import OpenJournal

T = TypeVar("T")


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
        if not self._done.is_set():  # an event that is set lets others go first: a turn of the loop for nothing
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
        on_others: called on the loop with each record that another host has added, in the journal's order.
        on_overtaken: called on the loop with each intent that is not written, for a record of another host came before
            it; those that wait for it go on afterwards, as if it were on disk.
        on_failure: called once, on the loop, with why nothing can be written any more.
    """

    def __init__(
        self,
        journal: OpenJournal,
        on_durable: Callable[[Record], None],
        *,
        on_others: Callable[[Record], None] = lambda _record: None,
        on_overtaken: Callable[[Record], None] = lambda _record: None,
        on_failure: Callable[[OrchestratorError], None] = lambda _error: None,
    ) -> None:
        self._journal = journal
        self._on_durable = on_durable
        self._on_others = on_others
        self._on_overtaken = on_overtaken
        self._on_failure = on_failure
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
        if self.failure is not None and not (self._replaced and isinstance(record, AnswerSeen)):
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
            while not self._closing and (self.failure is None or self._replaced):
                await self._next_work()
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

    @property
    def _replaced(self) -> bool:
        return isinstance(self.failure, TakenOver)

    @property
    def waits(self) -> bool:
        """Whether the store is away, and is waited for."""
        return self._journal.waits

    async def _next_work(self) -> None:
        """Return when there is something to write; where others write too, what they have added is heard meanwhile."""
        every_s = self._journal.looks_every_s
        if every_s is None:
            await self._work.wait()
            return
        while not self._work.is_set():
            with anyio.move_on_after(every_s):
                await self._work.wait()
            if self.failure is None and not self._work.is_set():
                await self._listen()

    async def _listen(self) -> None:
        try:
            self._hear(await self._in_thread(self._journal.news))
        except OrchestratorError as error:
            self._fail(error)
            self._work.set()

    def _hear(self, records: Sequence[Record]) -> None:
        """Let what others have added count; an intent that was handed over without knowing it is not written."""
        for record in records:
            self._on_others(record)
        if records:
            gathered, self._gathering.records = self._gathering.records, []
            for record in gathered:
                if isinstance(record, Intent) and overtakes(records, frozenset({str(record.target)})):
                    self._on_overtaken(record)
                else:
                    self._gathering.records.append(record)

    def _fail(self, error: OrchestratorError) -> None:
        self.failure = error
        self._on_failure(error)

    async def _write_gathered(self) -> None:
        self._work = anyio.Event()
        group, self._gathering = self._gathering, Group()
        if group.records and (self.failure is None or self._replaced):
            await self._write(group)
        elif self.failure is None:
            group.settle()  # all that was in it has been overtaken
        if self.failure is not None:
            group.settle(self.failure)

    async def _write(self, group: Group) -> None:
        self.under_way = group
        try:
            added = await self._in_thread(partial(self._journal.append, group.records))
            self._hear(added.others)
            for record in group.records:
                left_out = added.overtaken and isinstance(record, Intent)
                (self._on_overtaken if left_out else self._on_durable)(record)
        except OrchestratorError as error:
            self._fail(error)
        except BaseException as error:
            self._fail(host_error(error) or Broken(f"the journal's writer failed: {place_of(error)}"))
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
                self._fail(error)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        # Shielded, because a record that was handed over is written even if everybody who cared was cancelled.
        with anyio.CancelScope(shield=True):
            return await to_thread.run_sync(work, limiter=self._limiter)
        raise AssertionError("a scope that is never cancelled ends with what it holds")


def again(error: OrchestratorError) -> OrchestratorError:
    """The same error again, so that every waiter gets its own traceback."""
    return type(error)(str(error), hint=error.hint)
