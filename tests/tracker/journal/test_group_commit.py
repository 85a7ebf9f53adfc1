"""Group commit: everything reaches the disk in order, in few writes, and nobody is told before it is there."""

import os
import threading
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import anyio
import pytest
from fakes.recorded import BEGIN
from msgspec import structs

from orchestrator.errors import Broken, HostError, JournalDamaged, OrchestratorError, StateError, TakenOver
from orchestrator.model.record.record import AnswerSeen, CommandIgnored, HoldSet, Intent, Record
from orchestrator.tracker.journal.file import Journal, read_journal
from orchestrator.tracker.journal.group_commit import Group, JournalWriter
from orchestrator.tracker.open_journal import Added

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


# --- failures that nobody foresaw -------------------------------------------------------------------------------------


class FailingOnce:
    """Fails for one record, and keeps the others."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
        self.seen: list[Record] = []

    def __call__(self, record: Record) -> None:
        self.seen.append(record)
        if record is RECORDS[1]:
            raise self.error


def test_whoever_waits_is_told_of_any_failure(tmp_path: Path, play: Play) -> None:
    """Not only of a disk that fails: an exception of the one who is called with the records ends nobody's wait."""
    told: list[str] = []

    async def story() -> None:
        writer = JournalWriter(Journal.create(tmp_path / "journal.ndjson"), FailingOnce(KeyError("x")))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(writer.run)
            groups = [writer.append_nowait(record) for record in RECORDS[:4]]
            for group in groups:
                with anyio.fail_after(5), pytest.raises(Broken) as raised:
                    await group.wait()
                told.append(str(raised.value))
            with pytest.raises(Broken):
                writer.append_nowait(RECORDS[5])

    play(story)
    assert {words.partition(".py:")[0] for words in told} == {
        "the journal's writer failed: KeyError at tracker/journal/group_commit"
    }
    assert on_disk(tmp_path / "journal.ndjson") == RECORDS[:4]


def test_also_when_the_thread_that_writes_dies(tmp_path: Path, play: Play) -> None:
    async def story() -> None:
        journal = Journal.create(tmp_path / "journal.ndjson")
        journal._sync = _raise_memory_error
        writer = JournalWriter(journal, lambda _record: None)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(writer.run)
            with anyio.fail_after(5), pytest.raises(HostError, match="no more memory"):
                await writer.append(RECORDS[0])

    play(story)


def _raise_memory_error(_handle: int) -> None:
    raise MemoryError


def test_a_record_that_cannot_be_written_whole_keeps_none_from_the_others(tmp_path: Path, play: Play) -> None:
    odd = AnswerSeen(at=BEGIN, target="p", attempt=1, verdict="accepted", request_id="r-\udcff")

    async def story() -> None:
        writer = JournalWriter(Journal.create(tmp_path / "journal.ndjson"), lambda _record: None)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(writer.run)
            for record in (RECORDS[0], odd, RECORDS[1]):
                writer.append_nowait(record)
            await writer.aclose()

    play(story)
    escaped = structs.replace(odd, request_id="r-\\udcff")
    assert on_disk(tmp_path / "journal.ndjson") == [RECORDS[0], escaped, RECORDS[1]]
    assert b'"unwritable":["request_id"]' in (tmp_path / "journal.ndjson").read_bytes()


@pytest.mark.parametrize("after", [0, 1])
def test_a_journal_that_was_cut_behind_our_back_is_told_at_once_or_at_the_end(
    tmp_path: Path, play: Play, after: int
) -> None:
    """Before a record: by the next one that is written. After the last: at the end."""
    path = tmp_path / "journal.ndjson"

    async def story() -> None:
        writer = JournalWriter(Journal.create(path), lambda _record: None)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(writer.run)
            await writer.append(RECORDS[0])
            os.truncate(path, path.stat().st_size - 1)
            for record in RECORDS[1 : 1 + after]:
                with pytest.raises(JournalDamaged, match="something else has changed the file"):
                    await writer.append(record)
            with pytest.raises(JournalDamaged, match="something else has changed the file"):
                await writer.aclose()

    play(story)


# --- a journal that hosts share --------------------------------------------------------------------------------------

LATE = AnswerSeen(at=BEGIN, target="late", attempt=1, verdict="accepted")


class SharedJournal:
    """A journal to which others add: what they have added comes back with the next append or look.

    Attributes:
        kept: in order, what was added here.
        others: what others have added, and this one has not heard.
        replaced: whether another host works on the fleet.
        overtakes: whether that overtakes what is added here.
        meanwhile: called on the loop, once, while something is added.
    """

    looks_every_s: float | None = 0.01
    waits = False
    send_within_s = 8.0

    def __init__(self) -> None:
        self.kept: list[Record] = []
        self.others: list[Record] = []
        self.replaced = self.overtakes = False
        self.meanwhile: Callable[[], object] | None = None

    def append(self, records: Sequence[Record]) -> Added:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            anyio.from_thread.run_sync(meanwhile)
        self.kept += [each for each in records if not self.replaced or isinstance(each, AnswerSeen)]
        self._expect_place()
        return Added(self.news(), self.overtakes)

    def news(self) -> Sequence[Record]:
        self._expect_place()
        heard, self.others = self.others, []
        return heard

    def expect_whole(self) -> None:
        self._expect_place()

    def close(self) -> None:
        pass

    def _expect_place(self) -> None:
        if self.replaced:
            raise TakenOver("another host works on this fleet now")


def test_what_others_have_added_counts_before_what_is_written_after_it(play: Play) -> None:
    journal, counted = SharedJournal(), list[Record]()

    async def story() -> None:
        writer = JournalWriter(journal, counted.append, on_others=counted.append)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(writer.run)
            journal.others.append(LATE)
            await writer.append(RECORDS[0])
            await writer.aclose()

    play(story)
    assert counted == [LATE, RECORDS[0]]


def test_what_others_add_is_heard_also_when_there_is_nothing_to_write(play: Play) -> None:
    journal, heard = SharedJournal(), anyio.Event()

    async def story() -> None:
        writer = JournalWriter(journal, lambda _record: None, on_others=lambda _record: heard.set())
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(writer.run)
            await writer.append(RECORDS[0])
            journal.others.append(LATE)
            with anyio.fail_after(60):
                await heard.wait()
            await writer.aclose()

    play(story)


def test_who_was_replaced_writes_answers_and_nothing_else(play: Play) -> None:
    journal, failures = SharedJournal(), list[OrchestratorError]()

    async def story() -> None:
        writer = JournalWriter(journal, lambda _record: None, on_failure=failures.append)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(writer.run)
            journal.replaced = True
            with pytest.raises(TakenOver):
                await writer.append(RECORDS[0])
            with pytest.raises(TakenOver):
                writer.append_nowait(RECORDS[1])
            with pytest.raises(TakenOver):
                await writer.append(LATE)
            with pytest.raises(TakenOver):
                await writer.aclose()

    play(story)
    assert journal.kept == [LATE]
    assert failures
    assert all(isinstance(failure, TakenOver) for failure in failures)


def test_who_is_replaced_while_idle_is_told(play: Play) -> None:
    journal, told = SharedJournal(), anyio.Event()

    async def story() -> None:
        writer = JournalWriter(journal, lambda _record: None, on_failure=lambda _error: told.set())
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(writer.run)
            journal.replaced = True
            with anyio.fail_after(60):
                await told.wait()
            with pytest.raises(TakenOver):
                await writer.aclose()

    play(story)


def intent_of(target: str) -> Intent:
    return Intent(at=BEGIN, target=target, attempt=2, wave="w", token="t", source_version="1", target_version="2")


def test_an_intent_that_was_handed_over_before_a_late_answer_was_heard_is_not_written(play: Play) -> None:
    journal, overtaken, counted = SharedJournal(), list[Record](), list[Record]()
    journal.looks_every_s = None
    mine, other = intent_of("late"), intent_of("other")

    async def story() -> None:
        writer = JournalWriter(journal, counted.append, on_overtaken=overtaken.append)
        first = writer.append_nowait(RECORDS[0])
        journal.others.append(LATE)
        journal.meanwhile = lambda: [writer.append_nowait(each) for each in (mine, RECORDS[1], other)]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(writer.run)
            await first.wait()
            await writer.aclose()

    play(story)
    assert overtaken == [mine]
    assert counted == journal.kept == [RECORDS[0], RECORDS[1], other]


def test_an_intent_alone_that_was_overtaken_while_it_gathered_keeps_nobody_waiting(play: Play) -> None:
    journal, overtaken, handed = SharedJournal(), list[Record](), list[Group]()
    journal.looks_every_s = None

    async def story() -> None:
        writer = JournalWriter(journal, lambda _record: None, on_overtaken=overtaken.append)
        first = writer.append_nowait(RECORDS[0])
        journal.others.append(HoldSet(at=BEGIN, cause="person", reason="wait"))
        journal.meanwhile = lambda: handed.append(writer.append_nowait(intent_of("any")))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(writer.run)
            await first.wait()
            with anyio.fail_after(60):
                await handed[0].wait()
            await writer.aclose()

    play(story)
    assert overtaken == [intent_of("any")]
    assert journal.kept == [RECORDS[0]]


def test_of_what_was_written_together_only_intents_that_were_overtaken_do_not_count(play: Play) -> None:
    journal, overtaken, counted = SharedJournal(), list[Record](), list[Record]()
    journal.overtakes = True
    journal.others.append(LATE)

    async def story() -> None:
        writer = JournalWriter(journal, counted.append, on_others=counted.append, on_overtaken=overtaken.append)
        group, *_ = [writer.append_nowait(record) for record in (RECORDS[0], intent_of("late"), RECORDS[1])]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(writer.run)
            await group.wait()
            await writer.aclose()

    play(story)
    assert overtaken == [intent_of("late")]
    assert counted == [LATE, RECORDS[0], RECORDS[1]]
