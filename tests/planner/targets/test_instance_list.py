"""A list that is read page by page while it moves is complete, read again, or said to be incomplete: never shorter."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.model.reply.reply import Page
from orchestrator.planner.targets.instance_list import PAGE_ROWS, InstanceList

#: What happens to the list before a page is read: how many rows are removed and inserted, and where.
Move = tuple[int, int, float]


def rows_of(*numbers: int) -> tuple[dict[str, Any], ...]:
    return tuple({"id": f"i{number}"} for number in numbers)


def read(listing: InstanceList, answer: Callable[[int], Page], most: int = 2000) -> int:
    """Read to the end; how many pages it took."""
    pages = 0
    while (offset := listing.next_offset) is not None:
        pages += 1
        assert pages < most, "it never ends"
        listing.feed(answer(offset))
    return pages


def still(count: int, *, start: Callable[[int], int] = lambda offset: offset) -> Callable[[int], Page]:
    """A list that does not move."""
    return lambda offset: Page(
        rows=rows_of(*range(count)[start(offset) : start(offset) + PAGE_ROWS]), total_count=count
    )


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (1, 1), (100, 1), (101, 2), (250, 3), (5000, 50)])
def test_a_list_costs_one_page_for_every_hundred_rows(count: int, pages: int) -> None:
    listing = InstanceList()
    assert read(listing, still(count)) == pages
    assert listing.complete
    assert list(listing.rows) == [f"i{number}" for number in range(count)]


def test_rows_that_come_twice_count_once() -> None:
    listing = InstanceList()
    read(listing, still(200, start=lambda offset: max(0, offset - 3)))
    assert listing.complete
    assert len(listing.rows) == 200


def test_an_instance_that_vanishes_between_two_pages_lets_none_slip_through() -> None:
    def answer(offset: int) -> Page:
        left = range(1, 250) if offset else range(250)
        return Page(rows=rows_of(*left[offset : offset + PAGE_ROWS]), total_count=len(left))

    listing = InstanceList()
    pages = read(listing, answer)
    assert listing.complete
    assert {f"i{number}" for number in range(1, 250)} <= listing.rows.keys()
    assert pages == 6


def test_a_total_that_always_claims_more_makes_a_list_incomplete() -> None:
    listing = InstanceList()
    assert read(listing, lambda offset: Page(rows=still(150)(offset).rows, total_count=152)) < 40
    assert not listing.complete


def test_a_total_that_moves_back_is_read_again() -> None:
    totals = iter([151, 152, 150, 150, 150, 150, 150])
    listing = InstanceList()
    read(listing, lambda offset: Page(rows=still(150)(offset).rows, total_count=next(totals)))
    assert listing.complete
    assert len(listing.rows) == 150


def test_a_list_without_a_total_must_overlap() -> None:
    listing = InstanceList()
    pages = read(listing, lambda offset: Page(rows=still(250)(offset).rows, total_count=None))
    assert listing.complete
    assert (pages, len(listing.rows)) == (6, 250)
    alone = InstanceList()
    assert read(alone, lambda _: Page(rows=rows_of(1, 2), total_count=None)) == 1
    assert alone.complete


def test_a_service_that_ignores_the_offset_is_not_read_for_ever() -> None:
    listing = InstanceList()
    read(listing, lambda _: Page(rows=rows_of(*range(100)), total_count=300))
    assert not listing.complete
    endless = InstanceList()
    read(endless, lambda _: Page(rows=rows_of(*range(100)), total_count=None))
    assert len(endless.rows) == 100


def test_a_row_without_an_id_makes_a_list_incomplete() -> None:
    listing = InstanceList()
    read(listing, lambda _: Page(rows=({"id": "i1"}, {"name": "x"}), total_count=2))
    assert not listing.complete


def test_only_a_single_page_is_read_at_once() -> None:
    one, two = InstanceList(), InstanceList()
    read(one, still(100))
    read(two, still(101))
    assert (one.at_once, two.at_once) == (True, False)


class Moving:
    """A list whose order is stable while rows come and go before each page."""

    def __init__(self, count: int, moves: list[Move]) -> None:
        self.rows = list(range(count))
        self.always = set(self.rows)
        self._moves: Iterator[Move] = iter(moves)
        self._next = count

    def answer(self, offset: int) -> Page:
        removed, inserted, where = next(self._moves, (0, 0, 0.0))
        at = int(where * len(self.rows))
        self.always -= set(self.rows[at : at + removed])
        new = list(range(self._next, self._next + inserted))
        self._next += inserted
        self.rows[at : at + removed] = new
        return Page(rows=rows_of(*self.rows[offset : offset + PAGE_ROWS]), total_count=len(self.rows))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 450),
    st.lists(
        st.tuples(st.sampled_from([0, 0, 1, 5, 30]), st.sampled_from([0, 0, 1, 120]), st.floats(0, 1)), max_size=12
    ),
)
def test_careful_reading_is_complete_only_when_nothing_slipped_through(count: int, moves: list[Move]) -> None:
    moving, listing = Moving(count, moves), InstanceList(careful=True)
    read(listing, moving.answer)
    if listing.complete:
        assert {f"i{number}" for number in moving.always} <= listing.rows.keys()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 450), st.lists(st.tuples(st.integers(0, 3), st.just(0), st.floats(0, 1)), max_size=4))
def test_when_instances_only_vanish_the_rest_is_always_found(count: int, moves: list[Move]) -> None:
    moving, listing = Moving(count, moves), InstanceList()
    read(listing, moving.answer)
    assert listing.complete
    assert {f"i{number}" for number in moving.always} <= listing.rows.keys()
