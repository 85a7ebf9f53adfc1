"""Looking at many upgrades at once: a page of the scope's running jobs answers for up to fifty of them.

A job that the list shows running needs no look of its own. One that it does not show is asked for by its id, which
alone tells how it ended: a list never ends anything.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from datetime import datetime, timedelta
from math import inf

import anyio
import msgspec

from orchestrator.executor.rate.lane import Lane
from orchestrator.executor.scope.jobs.job_list import has_ended, read_jobs
from orchestrator.executor.scope.jobs.list_use import ListUse
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.model.reply.reply import Job


class Shown(msgspec.Struct, frozen=True):
    """Jobs that run, as a list shows them.

    Attributes:
        asked_at: just before its first page was asked for; who ended since then may be shown running.
        read_at: when its last page was there.
    """

    asked_at: datetime
    read_at: datetime
    jobs: list[Job]


class RunningJobs(msgspec.Struct):
    """The list of one scope's running jobs, shared by all who follow an upgrade in it."""

    scope: ScopeCalls
    _asked_at: datetime | None = None
    _read_at: datetime | None = None
    _running: dict[str, Job] = {}
    _use: ListUse = msgspec.field(default_factory=ListUse)
    _lock: anyio.Lock = msgspec.field(default_factory=lambda: anyio.Lock(fast_acquire=True))

    @contextmanager
    def following(self) -> Iterator[None]:
        """One more upgrade is followed, for as long as the block lasts."""
        self._use.followed += 1
        try:
            yield
        finally:
            self._use.followed -= 1

    async def shows(self, job_ids: AbstractSet[str], *, after: datetime, max_age_s: float) -> Shown | None:
        """What a list shows of these jobs that was asked for later than `after` and less than `max_age_s` ago.

        None: not all of them are there and run, so each must be looked at by its id. Who comes while another reads
        takes what that one brings.

        Raises:
            ScopeGone: the scope was given up.
        """
        not_before = max(after, self.scope.clock.now() - timedelta(seconds=max_age_s))
        async with self._lock:
            if not await self._there(not_before):
                return None
        shown = job_ids <= self._running.keys()
        self._use.note(shown=shown)
        if not shown or self._asked_at is None or self._read_at is None:
            return None
        return Shown(self._asked_at, self._read_at, [self._running[job_id] for job_id in sorted(job_ids)])

    async def _there(self, not_before: datetime) -> bool:
        """Whether there is a list that was asked for later than this, now if it pays to read one."""
        now = self.scope.clock.now()
        if self._asked_at is not None and self._asked_at > not_before:
            return True
        if not self._use.pays(inf if self._asked_at is None else (now - self._asked_at).total_seconds()):
            return False
        self._use.begin()
        self._asked_at, self._running = now, {}
        listing = await read_jobs(self.scope, Lane.POLL, status="Running", thorough=False)
        self._read_at = self.scope.clock.now()
        jobs = listing.jobs if listing else ()
        self._use.rows, self._running = len(jobs), {job.job_id: job for job in jobs if not has_ended(job)}
        return True
