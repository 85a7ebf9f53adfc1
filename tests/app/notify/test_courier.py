"""Everybody is told of everything, in order and on its own time, on virtual time."""

from collections.abc import Callable
from typing import Any

import anyio
import msgspec
import pytest
from fakes.clock import START, run_virtual
from fakes.receiver import Ear

from orchestrator.app.notify.box import STALE, Box, read_box
from orchestrator.app.notify.courier import Courier
from orchestrator.app.notify.notice import Notice
from orchestrator.app.notify.receivers import ATTEMPT_S

HOUR_S = 3600.0


def notice(number: int = 1, kind: Any = "held") -> Notice:
    return Notice(
        id=f"{kind}-{number}", kind=kind, at=START, fleet="f", run_id="r1", target_version="2", sentence="held"
    )


class Office:
    """A courier, and what it has kept; `hangs`: names of receivers that never answer."""

    def __init__(self, *ears: Ear, hangs: tuple[str, ...] = (), box: Box | None = None) -> None:
        self.kept = b""
        self.reported: list[tuple[str, str]] = []
        self.hangs = hangs
        self.box = box or Box(run_id="r1", through=0)
        self.courier = Courier(self.box, [each.receiver for each in ears], self._keep, self._beside)

    def _keep(self, content: bytes) -> Callable[[], None]:
        def keep() -> None:
            self.kept = content

        return keep

    async def _beside(self, work: Callable[[], None], name: str) -> None:
        if name in self.hangs:
            await anyio.sleep_forever()
        await anyio.sleep(0.1)
        work()

    def work(self, *notices: Notice, seconds: float = HOUR_S) -> float:
        """Put these in and work; when the last of them was told."""

        async def story() -> float:
            with anyio.move_on_after(seconds):
                async with anyio.create_task_group() as group:
                    group.start_soon(self.courier.serve, anyio.sleep, lambda *words: self.reported.append(words))
                    for each in notices:
                        self.courier.put(each)
                    while self.box.parcels:  # noqa: ASYNC110  # it is looked at from outside, on virtual time
                        await anyio.sleep(0.1)
                    await anyio.sleep(1)
                    group.cancel_scope.cancel()
            return anyio.current_time()

        return run_virtual(story)

    def last_round(self, seconds: float) -> float:
        async def story() -> float:
            await self.courier.last_round(seconds)
            return anyio.current_time()

        return run_virtual(story)


def test_each_is_told_of_what_it_wants_to_know_in_order() -> None:
    all_of_it, ends = Ear("a"), Ear("b", kinds=("ended",))
    office = Office(all_of_it, ends)
    office.work(notice(1), notice(2, "ended"), notice(1))
    assert (all_of_it.told, ends.told) == (["held", "ended"], ["ended"])
    kept = read_box(office.kept)
    assert kept is not None
    assert (kept.parcels, kept.seen) == ([], ["held-1", "ended-2"])


def test_one_that_hangs_delays_no_other() -> None:
    deaf, ear = Ear("deaf"), Ear("ear")
    office = Office(deaf, ear, hangs=("deaf",))
    office.work(notice(1), notice(2), seconds=5)
    assert (deaf.told, ear.told) == ([], ["held", "held"])


def test_one_that_fails_is_tried_again_ever_more_rarely_and_reported_once() -> None:
    ear = Ear(failures=5)
    office = Office(ear)
    seconds = office.work(notice(1), notice(2))
    assert [each.id for each in ear.heard] == ["held-1", "held-2"]
    assert 5 + 10 + 20 + 40 + 80 <= seconds <= 160
    assert office.reported == [("ear", "answered 500")]


def test_one_that_hangs_is_waited_for_ten_seconds_and_tried_again() -> None:
    office = Office(Ear("deaf"), hangs=("deaf",))
    office.work(notice(1), seconds=4 * ATTEMPT_S + 60)
    assert office.reported == [("deaf", "did not answer within 10 s")]


def test_a_bug_in_one_is_a_failure_of_it_alone_and_shows_no_text() -> None:
    class Broken(Ear):
        def tell(self, notice: Notice) -> None:
            raise RuntimeError(f"https://secret {notice.id}")

    ear = Ear("ear")
    office = Office(Broken("broken"), ear)
    office.work(notice(1), seconds=60)
    assert ear.told == ["held"]
    assert office.reported == [("broken", "failed (RuntimeError)")]


def test_what_nobody_was_told_of_is_kept_and_told_later() -> None:
    office = Office(Ear(failures=1000))
    office.work(notice(1), seconds=20)
    box = read_box(office.kept)
    assert box is not None
    ear = Ear()
    Office(ear, box=box).work()
    assert [each.id for each in ear.heard] == ["held-1"]


def test_the_last_round_tries_once_and_ends_in_time() -> None:
    deaf, fails, ear = Ear("deaf"), Ear("fails", failures=1), Ear("ear")
    office = Office(deaf, fails, ear, hangs=("deaf",))
    for number in (1, 2):
        office.courier.put(notice(number))
    assert office.last_round(5) == pytest.approx(5)
    assert (deaf.told, fails.told, ear.told) == ([], [], ["held", "held"])
    assert {to for each in office.box.parcels for to in each.to} == {"deaf", "fails"}
    assert office.courier.failures == {"fails": "answered 500"}


def test_one_that_took_it_when_nobody_waited_any_more_is_not_told_twice() -> None:
    ear = Ear()
    late: list[Callable[[], None]] = []
    office = Office(ear)
    usual = office.courier._beside

    async def slow(work: Callable[[], None], name: str) -> None:
        if name == "ear" and not late:
            late.append(work)
            await anyio.sleep_forever()
        await usual(work, name)

    office.courier._beside = slow
    office.work(notice(1), seconds=1)
    late[0]()  # its answer comes after the end of the session
    office.last_round(5)
    assert (ear.told, office.box.parcels) == (["held"], [])


def test_what_is_stale_or_for_nobody_in_the_plan_is_dropped() -> None:
    box = Box(run_id="r1", through=7)
    box.put(notice(1), ["a", "gone"])
    box.put(notice(2), ["gone"])
    box.clear_out(["a"], START)
    assert [(each.notice.id, each.to) for each in box.parcels] == [("held-1", ("a",))]
    box.clear_out(["a"], START + STALE)
    assert box.parcels == []


def test_a_box_comes_back_as_it_was_kept_and_a_damaged_one_is_none() -> None:
    box = Box(run_id="r1", through=7)
    box.put(notice(1), ["a"])
    assert read_box(box.encode()) == box
    assert (read_box(None), read_box(b"{"), read_box(b'{"schema": "orchestrator.notices/2"}')) == (None, None, None)
    assert msgspec.json.decode(box.encode())["schema"] == "orchestrator.notices/1"
