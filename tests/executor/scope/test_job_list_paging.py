"""Reading a list completely, whatever its offset counts, and never for ever."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.executor.scope.jobs.job_list_paging import Paging
from orchestrator.model.reply.reply import Job, JobPage

PAGE = 50
STYLES = ("page", "record", "record0")


def rows_of(number: int, first: int = 0) -> list[Job]:
    return [Job(job_id=f"j{at}") for at in range(first, first + number)]


def page_of(rows: list[Job], style: str, offset: int) -> JobPage:
    begin = {"page": (offset - 1) * PAGE, "record": offset - 1, "record0": offset}[style]
    return JobPage(jobs=tuple(rows[max(0, begin) : max(0, begin) + PAGE]), total_count=len(rows))


def read(answer: Callable[[int, int], JobPage], most: int = 500) -> tuple[Paging, int]:
    paging, asked = Paging(), 0
    while (offset := paging.next_offset) is not None:
        paging.feed(answer(offset, asked))
        asked += 1
        assert asked <= most, "it never ends"
    return paging, asked


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("number", [0, 1, 2, 49, 50, 51, 99, 100, 101, 149, 150, 151, 500, 1234])
def test_every_list_is_read_completely_in_few_calls(style: Any, number: int) -> None:
    rows = rows_of(number)
    paging, asked = read(lambda offset, _n: page_of(rows, style, offset))
    assert paging.complete
    assert set(paging.jobs) == {row.job_id for row in rows}
    assert asked <= number // PAGE + 4


def test_a_list_without_a_total_is_never_complete_but_read_once() -> None:
    paging, asked = read(lambda _offset, _n: JobPage(jobs=tuple(rows_of(3)), total_count=None))
    assert not paging.complete
    assert asked == 1


def test_a_list_that_claims_more_than_it_shows_ends_incomplete() -> None:
    paging, asked = read(lambda _offset, _n: JobPage(jobs=tuple(rows_of(7)), total_count=9))
    assert not paging.complete
    assert asked < 30


def test_a_cloud_that_knows_no_offset_0_is_read_all_the_same() -> None:
    """Its offset is a page number, and its list has moved while it was read."""
    paging, asked = Paging(), 0
    while (offset := paging.next_offset) is not None:
        if offset == 0:
            assert paging.refused()
            continue
        assert not paging.refused()
        page = page_of(rows_of(7), "page", offset)
        paging.feed(JobPage(jobs=page.jobs, total_count=7 + (asked == 0)))
        asked += 1
    assert paging.complete
    assert len(paging.jobs) == 7


def test_duplicates_are_counted_once() -> None:
    def answer(_offset: int, _n: int) -> JobPage:
        return JobPage(jobs=(*rows_of(3), *rows_of(3)), total_count=6)

    assert not read(answer)[0].complete


@pytest.mark.parametrize("style", STYLES)
def test_a_list_that_grows_at_its_head_while_it_is_read_is_read_completely(style: Any) -> None:
    def answer(offset: int, asked: int) -> JobPage:
        rows = [*reversed(rows_of(min(asked, 3), first=1000)), *rows_of(170)]
        return page_of(rows, style, offset)

    paging, _ = read(answer)
    assert paging.complete
    assert len(paging.jobs) == 173


def test_what_was_seen_before_a_new_start_does_not_make_the_list_complete() -> None:
    """A job has vanished and another one has come that is never shown: the old one does not stand in for it."""

    def answer(_offset: int, asked: int) -> JobPage:
        shown = ("a", "gone") if asked < 3 else ("a", "b")
        return JobPage(jobs=tuple(Job(job_id=job_id) for job_id in shown), total_count=3)

    assert not read(answer)[0].complete


@given(seed=st.integers(0, 10**6))
def test_whatever_a_list_does_reading_ends_and_completeness_is_honest(seed: int) -> None:
    random = Random(seed)
    style = random.choice(STYLES)
    rows = rows_of(random.randint(0, 400))
    shown: set[str] = set()

    def answer(offset: int, _asked: int) -> JobPage:
        if random.random() < 0.3:
            rows.insert(0, Job(job_id=f"n{random.random()}"))
        if rows and random.random() < 0.2:
            rows.pop(random.randrange(len(rows)))
        page = page_of(rows, style, offset)
        lost = tuple(row for row in page.jobs if random.random() > 0.02)
        shown.update(row.job_id for row in lost)
        return JobPage(jobs=lost, total_count=page.total_count)

    paging, _ = read(answer)
    assert set(paging.jobs) <= shown
    assert not paging.complete or len(paging.jobs) == paging.total
