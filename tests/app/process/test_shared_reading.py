"""One reading serves all who ask while another is under way, and nobody gets what was read before the question."""

from threading import Event, get_ident

import anyio
import pytest
from anyio import to_thread

from orchestrator.app.process.shared_reading import SharedReading


class Source:
    """Counts how often it is read; a reading ends when `go` is set."""

    def __init__(self) -> None:
        self.begun = 0
        self.threads = set[int]()
        self.began, self.go = Event(), Event()
        self.fails = False

    def read(self) -> int:
        self.begun += 1
        number = self.begun
        self.threads.add(get_ident())
        self.began.set()
        assert self.go.wait(30)
        if self.fails:
            raise OSError("the disk")
        return number

    async def under_way(self) -> None:
        await to_thread.run_sync(self.began.wait, 30)


def test_a_thousand_who_ask_meanwhile_share_one_reading_that_begins_after_their_question() -> None:
    source, got = Source(), list[int]()

    async def asks(reading: SharedReading[int]) -> None:
        got.append(await reading())

    async def story() -> None:
        reading = SharedReading(source.read)
        async with anyio.create_task_group() as group:
            group.start_soon(asks, reading)
            await source.under_way()
            for _ in range(1000):
                group.start_soon(asks, reading)
            await anyio.wait_all_tasks_blocked()
            source.go.set()

    anyio.run(story)
    assert got == [1, *[2] * 1000]
    assert source.begun == 2
    assert get_ident() not in source.threads


def test_who_asks_later_gets_a_reading_of_later() -> None:
    source = Source()
    source.go.set()

    async def story() -> list[int]:
        reading = SharedReading(source.read)
        return [await reading() for _ in range(3)]

    assert anyio.run(story) == [1, 2, 3]


@pytest.mark.parametrize("ends", ["fails", "is cancelled"])
def test_the_end_of_one_who_asks_is_not_that_of_the_others(ends: str) -> None:
    source, got = Source(), list[object]()

    async def asks(reading: SharedReading[int]) -> None:
        try:
            got.append(await reading())
        except OSError as error:
            source.fails = False
            got.append(str(error))

    async def story() -> None:
        reading = SharedReading(source.read)
        async with anyio.create_task_group() as group, anyio.create_task_group() as first:
            first.start_soon(asks, reading)
            await source.under_way()
            group.start_soon(asks, reading)
            await anyio.wait_all_tasks_blocked()
            if ends == "fails":
                source.fails = True
            else:
                first.cancel_scope.cancel()
            source.go.set()

    anyio.run(story)
    assert got[-1] == 2
    assert ("the disk" in got) == (ends == "fails")
