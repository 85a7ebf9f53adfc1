"""Reading a list of instances completely, page by page, although it may move while it is read. Pure: pages come in.

A list is read at the price of one call for every hundred rows. It is believed when every page gave the same
`total_count` and so many distinct rows came; or when each page begins with rows that the page before ended with, so
that nothing can have slipped through between two of them. Otherwise it is read again, from then on with such an
overlap, a few times; and in the end it is said to be incomplete, never taken for a shorter list.
"""

from typing import Any, TypeAlias

import msgspec

from orchestrator.model.reply.reply import Page
from orchestrator.planner.targets.instance_row import text_of

#: A row as the cloud sent it.
Row: TypeAlias = dict[str, Any]

PAGE_ROWS = 100
#: A list that goes on for longer is cut off, and not complete.
MOST_PAGES, MOST_ROWS = 5_000, 100_000
#: Rows that a page of a careful reading shares with the one before.
_OVERLAP = 10
#: How often a list that moves is read in all.
_READINGS = 4


class InstanceList(msgspec.Struct):
    """Decides which page to ask for next: `next_offset`, None when there is no more to ask.

    Args:
        careful: read with overlapping pages from the start.

    Attributes:
        rows: by instance id, in the order in which they came first.
        total: the `total_count` that came last.
        nameless: rows without an id; a list with such rows is not complete.
    """

    careful: bool = False
    rows: dict[str, Row] = {}
    next_offset: int | None = 0
    total: int | None = None
    nameless: int = 0
    complete: bool = False
    _reading: int = 1
    _ids: set[str] = set()
    _previous: frozenset[str] = frozenset()
    _joined: bool = True
    _steady: bool = True
    _pages: int = 0
    _read: int = 0

    @property
    def at_once(self) -> bool:
        """Whether one page held the whole list, so that nothing can have moved between two pages."""
        return self._pages == 1 and self._reading == 1

    def feed(self, page: Page) -> None:
        """Take in the answer to `next_offset`."""
        offset = self.next_offset or 0
        named = [(key, row) for row in page.rows if (key := text_of(row, "id"))]
        self.nameless += len(page.rows) - len(named)
        ids = frozenset(key for key, _ in named)
        fresh = not ids <= self._ids
        self._note(page, ids)
        for key, row in named:
            self.rows.setdefault(key, row)
        self._read += 1
        if self._read >= MOST_PAGES or len(self.rows) >= MOST_ROWS:
            self.next_offset = None
        elif self._ended(page, offset, fresh=fresh):
            self._end_reading()
        else:
            self.next_offset = offset + self._step(len(page.rows))

    def _step(self, rows: int) -> int:
        return rows - min(_OVERLAP, rows // 2) if self.careful else rows

    def _note(self, page: Page, ids: frozenset[str]) -> None:
        if self._pages:
            self._steady &= page.total_count is not None and page.total_count == self.total
            # An empty page is no proof of the end: the list may have become shorter by rows before those that we saw.
            self._joined &= not ids.isdisjoint(self._previous)
        self._pages += 1
        self.total = page.total_count
        self._previous = ids
        self._ids |= ids

    def _ended(self, page: Page, offset: int, *, fresh: bool) -> bool:
        if not page.rows:
            return True
        if self.total is None:
            return not fresh or len(page.rows) < PAGE_ROWS
        # Rows that have gone since they were seen count here too, so their number alone does not tell the end.
        return offset + len(page.rows) >= self.total and (not fresh or len(self._ids) >= self.total)

    def _end_reading(self) -> None:
        enough = self.total is None or len(self._ids) >= self.total
        exact = self._steady and len(self._ids) == self.total
        joined = self._joined and (self.careful or self._pages == 1)
        self.complete = enough and (exact or joined) and not self.nameless
        self.next_offset = None if self.complete or self._reading >= _READINGS else self._again()

    def _again(self) -> int:
        self._reading += 1
        self.careful = True
        self._ids = set()
        self._previous = frozenset()
        self._joined = self._steady = True
        self._pages = self.nameless = 0
        return 0
