"""Group commit: everything reaches the disk in order, in few writes, and nobody is told before it is there."""

import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import pytest
from fakes.recorded import BEGIN

from orchestrator.errors import StateError
from orchestrator.model.record import CommandIgnored, Record
from orchestrator.tracker.journal import Journal, read_journal
from orchestrator.tracker.writer import JournalWriter

RECORDS = [CommandIgnored(at=BEGIN, command=number, why="") for number in range(1, 101)]
BACKENDS = ("asyncio", "trio")


class SlowDisk:
    """Holds every fsync until it is let go; then it may fail."""

    def __init__(self, *, fails: bool = False) -> None:
        self.let_go = threading.Event()
        self.fails = fails
        self.syncs = 0

    def sync(self, _handle: int) -> None:
        assert self.let_go.wait(10)
        self.syncs += 1
        if self.fails:
            raise OSError(5, "Input/output error")


def open_journal(path: Path, disk: SlowDisk) -> Journal:
    opened = Journal.create(path)
    opened._sync = disk.sync
    return opened


def on_disk(path: Path) -> list[Record]:
    return [record for _, record in read_journal(path)]


@pytest.fixture(params=BACKENDS)
def play(request: pytest.FixtureRequest) -> Callable[[Callable[[], Awaitable[None]]], None]:
    def run(story: Callable[[], Awaitable[None]]) -> None:
        anyio.run(story, backend=request.param)

    return run


Play = Callable[[Callable[[], Awaitable[None]]], None]


def test_every_record_is_on_disk_in_the_order_of_the_calls(tmp_path: Path, play: Play) -> None:
    path = tmp_path / "journal.ndjson"
    durable: list[Record] = []

    async def story() -> None:
        writer = JournalWriter(Journal.create(path), durable.append)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(writer.run)
            for record in RECORDS[:50]:
                writer.append_nowait(record)
            async with anyio.create_task_group() as appenders:
                appenders.start_soon(writer.append, RECORDS[50])
            await writer.append(RECORDS[51])
            await writer.aclose()

    play(story)
    assert on_disk(path) == durable == RECORDS[:52]


def test_a_record_is_on_disk_and_counted_before_its_waiter_goes_on(tmp_path: Path, play: Play) -> None:
    path = tmp_path / "journal.ndjson"
    durable: list[Record] = []

    async def story() -> None:
        writer = JournalWriter(Journal.create(path), durable.append)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(writer.run)
            for record in RECORDS[:5]:
                await writer.append(record)
                assert durable[-1] == on_disk(path)[-1] == record
            await writer.aclose()

    play(story)


def test_what_gathers_while_the_disk_is_busy_is_written_in_one_go(tmp_path: Path, play: Play) -> None:
    disk = SlowDisk()

    async def story() -> None:
        writer = JournalWriter(open_journal(tmp_path / "journal.ndjson", disk), lambda _record: None)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(writer.run)
            first = writer.append_nowait(RECORDS[0])
            await anyio.wait_all_tasks_blocked()
            rest = [writer.append_nowait(record) for record in RECORDS[1:]]
            assert not first.done
            disk.let_go.set()
            for group in (first, *rest):
                await group.wait()
            await writer.aclose()

    play(story)
    assert disk.syncs == 2
    assert len(on_disk(tmp_path / "journal.ndjson")) == 100


def test_a_waiter_that_is_cancelled_loses_nothing(tmp_path: Path, play: Play) -> None:
    disk = SlowDisk()
    durable: list[Record] = []

    async def story() -> None:
        writer = JournalWriter(open_journal(tmp_path / "journal.ndjson", disk), durable.append)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(writer.run)
            with anyio.move_on_after(0):
                await writer.append(RECORDS[0])
            assert durable == []
            disk.let_go.set()
            await writer.aclose()

    play(story)
    assert durable == on_disk(tmp_path / "journal.ndjson") == RECORDS[:1]


def test_a_cancelled_writer_still_writes_what_it_was_given(tmp_path: Path, play: Play) -> None:
    disk = SlowDisk()
    durable: list[Record] = []

    async def story() -> None:
        writer = JournalWriter(open_journal(tmp_path / "journal.ndjson", disk), durable.append)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(writer.run)
            writer.append_nowait(RECORDS[0])
            await anyio.wait_all_tasks_blocked()
            writer.append_nowait(RECORDS[1])
            tasks.cancel_scope.cancel()
            disk.let_go.set()
        with pytest.raises(StateError, match="closed"):
            writer.append_nowait(RECORDS[2])

    play(story)
    assert durable == on_disk(tmp_path / "journal.ndjson") == RECORDS[:2]


def test_what_was_handed_over_in_the_instant_of_the_cancellation_is_written(tmp_path: Path, play: Play) -> None:
    async def story() -> None:
        writer = JournalWriter(Journal.create(tmp_path / "journal.ndjson"), lambda _record: None)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(writer.run)
            await anyio.wait_all_tasks_blocked()
            writer.append_nowait(RECORDS[0])
            tasks.cancel_scope.cancel()

    play(story)
    assert on_disk(tmp_path / "journal.ndjson") == RECORDS[:1]


def test_closing_writes_what_has_gathered_even_if_nobody_ever_ran_it(tmp_path: Path, play: Play) -> None:
    path = tmp_path / "journal.ndjson"

    async def story() -> None:
        writer = JournalWriter(Journal.create(path), lambda _record: None)
        writer.append_nowait(RECORDS[0])
        await writer.aclose()
        await writer.aclose()

    play(story)
    assert on_disk(path) == RECORDS[:1]


def test_a_failed_write_fails_every_waiter_and_every_later_append(tmp_path: Path, play: Play) -> None:
    disk = SlowDisk(fails=True)
    failed: list[str | None] = []
    durable: list[Record] = []

    async def story() -> None:
        writer = JournalWriter(open_journal(tmp_path / "journal.ndjson", disk), durable.append)

        async def append(record: Record) -> None:
            with pytest.raises(StateError, match=r"journal\.ndjson: cannot write") as raised:
                await writer.append(record)
            failed.append(raised.value.hint)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(writer.run)
            tasks.start_soon(append, RECORDS[0])
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(append, RECORDS[1])
            await anyio.wait_all_tasks_blocked()
            disk.let_go.set()
        await append(RECORDS[2])
        with pytest.raises(StateError, match="cannot write"):
            await writer.aclose()

    play(story)
    assert len(failed) == 3
    assert failed[0]
    assert disk.syncs == 1
    assert durable == []
