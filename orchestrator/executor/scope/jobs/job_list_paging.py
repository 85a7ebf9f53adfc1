"""Reading a job list completely, although nobody knows what its `offset` counts.

The reference calls `offset` of ListImmediateJobs a record offset, gives it the default 1, and the Terraform provider
counts it up by 1 a page, as a page number. So it is found out from the answers: the second request asks for 2; if that
repeats most of the first page, it was a record offset. A list is complete when as many distinct jobs were seen as
`total_count` says.
"""

from enum import Enum, auto

import msgspec

from orchestrator.model.reply.reply import Job, JobPage

#: A list that goes on for longer is cut off, and not complete, so its absences prove nothing.
MOST_PAGES, MOST_ROWS = 5_000, 100_000


class _Meaning(Enum):
    UNKNOWN = auto()
    PAGE = auto()
    RECORD = auto()


class Paging(msgspec.Struct):
    """Decides page after page which offset to ask for next; `next_offset` is None when there is no more to ask.

    A list that moves under our hands is read again from the start, `restarts` times.
    """

    restarts: int = 2
    jobs: dict[str, Job] = {}
    next_offset: int | None = 1
    total: int | None = None
    _offset: int = 1
    _meaning: _Meaning = _Meaning.UNKNOWN
    _asked_zero: bool = False
    _pages: int = 0

    @property
    def complete(self) -> bool:
        """Whether every job of the list was seen. Never true for a list that does not say how long it is."""
        return self.total is not None and len(self.jobs) == self.total

    def feed(self, page: JobPage) -> None:
        """Take in the answer to `next_offset`."""
        ids = {job.job_id for job in page.jobs}
        fresh = len(ids - self.jobs.keys())
        self.jobs.update((job.job_id, job) for job in page.jobs)
        self.total = page.total_count
        self._learn(len(ids) - fresh, len(ids))
        self._pages += 1
        over = self.complete or self.total is None or self._pages >= MOST_PAGES or len(self.jobs) >= MOST_ROWS
        self.next_offset = None if over else self._next(fresh)

    def refused(self) -> bool:
        """The cloud refuses `next_offset`. True: it was 0, which is no page number; the rest can still be read."""
        if self.next_offset != 0:
            return False
        self.next_offset = self._after_nothing_new()
        return True

    def _learn(self, known: int, rows: int) -> None:
        if self._meaning is _Meaning.UNKNOWN and self._offset > 1 and rows:
            self._meaning = _Meaning.RECORD if known * 2 > rows else _Meaning.PAGE

    def _next(self, fresh: int) -> int | None:
        if not fresh and self._offset != 1:
            return self._after_nothing_new()
        match self._meaning:
            case _Meaning.UNKNOWN if not fresh:
                return self._after_nothing_new()
            case _Meaning.UNKNOWN | _Meaning.PAGE:
                self._offset += 1
            case _Meaning.RECORD:
                # Record offsets that begin at 1 have shown records 1 to n; those that begin at 0, records 2 to n + 1.
                self._offset = len(self.jobs) + 1 if not self._asked_zero else len(self.jobs)
        return self._offset

    def _after_nothing_new(self) -> int | None:
        if not self._asked_zero:
            # What is missing may stand before the first record that was asked for.
            self._asked_zero = True
            return 0
        if self.restarts > 0:
            self.restarts -= 1
            self.jobs.clear()
            self._offset = 1
            self._asked_zero = False
            self._meaning = _Meaning.UNKNOWN
            return 1
        return None
