"""What the cloud's job list says: read once, used by all targets of a scope that ask at about the same time."""

from collections.abc import Awaitable, Iterable, Sequence
from datetime import datetime, timedelta

import anyio
import msgspec

from orchestrator.executor.ports import CloudApi
from orchestrator.executor.rate.lane import Lane
from orchestrator.executor.scope.call import Call
from orchestrator.executor.scope.jobs.job_list_paging import Paging
from orchestrator.executor.scope.poll_schedule import LIST_FRESH_S
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.model.reply.reply import Answered, Job, JobPage, Refused, Reply, same_id

#: Job states after which nothing more happens.
ENDED = frozenset({"completed", "failed", "canceled", "cancelled"})


def has_ended(job: Job) -> bool:
    """Whether the cloud says that a job is over. `Unauthorized` and unknown states are not an end."""
    return job.status.lower() in ENDED


class JobList(msgspec.Struct, frozen=True):
    """A job list as it was at one moment.

    Attributes:
        since: only jobs created after this instant, in the cloud's time, were asked for; None for no bound.
        asked_at: our time just before the first page was asked for.
        complete: every job of the list was seen, so absence means something.
    """

    jobs: tuple[Job, ...]
    since: datetime | None
    asked_at: datetime
    complete: bool
    _by_instance: dict[str, list[Job]] = {}
    _by_proxy: dict[str, list[Job]] = {}

    def __post_init__(self) -> None:
        for job in self.jobs:
            self._by_instance.setdefault((job.instance_id or "").lower(), []).append(job)
            for proxy_id in job.proxies:
                self._by_proxy.setdefault(proxy_id, []).append(job)

    def of_instance(self, instance_id: str) -> Sequence[Job]:
        """The jobs of one instance."""
        return self._by_instance.get(instance_id.lower(), ())

    def about(self, instance_id: str, proxy_id: str) -> list[Job]:
        """The jobs of one instance, and those that name one of its proxies, whatever instance they are listed under."""
        naming = self._by_proxy.get(proxy_id.lower(), ())
        return [*self.of_instance(instance_id), *(job for job in naming if not same_id(job.instance_id, instance_id))]

    def of_no_instance(self) -> Sequence[Job]:
        """The jobs whose instance the list does not tell: each may run on any."""
        return self._by_instance.get("", ())

    def keys(self) -> set[str]:
        """The ids of all jobs, as they are compared."""
        return {job.key for job in self.jobs}


async def read_jobs(
    scope: ScopeCalls, lane: Lane, *, since: datetime | None = None, status: str | None = None, thorough: bool = True
) -> JobList | None:
    """Read the job list of a scope page by page; None when a page could not be read.

    `since` asks only for jobs created after that instant of the cloud's time; `status` only for jobs of that status. A
    list that moves is read again when it has to be `thorough`.
    """
    asked_at = scope.clock.now()
    paging = Paging(restarts=2 if thorough else 0)
    while (offset := paging.next_offset) is not None:
        reply = await scope.read(_page(offset, since, status), lane)
        if isinstance(reply, Answered):
            paging.feed(reply.value)
        elif not (isinstance(reply, Refused) and paging.refused()):
            return None
    return JobList(tuple(paging.jobs.values()), since, asked_at, paging.complete)


def _page(offset: int, since: datetime | None, status: str | None) -> Call[JobPage]:
    def call(api: CloudApi) -> Awaitable[Reply[JobPage]]:
        return api.jobs(offset=offset, start_time=since, status=status)

    return call


#: A job is known to have been there before a call for so long after a list has shown it last, seconds.
_REMEMBERED_S = 3600.0


class _Showing(msgspec.Struct):
    first: datetime
    last: datetime


class Board(msgspec.Struct):
    """The latest lists of one scope, shared. While one caller reads, the others wait for what it brings."""

    scope: ScopeCalls
    _shown: dict[str, _Showing] = {}
    _running: JobList | None = None
    _all: JobList | None = None
    _lock: anyio.Lock = msgspec.field(default_factory=lambda: anyio.Lock(fast_acquire=True))

    async def running(self, *, after: datetime | None = None) -> JobList | None:
        """The jobs that run in the scope, at most 60 s old and read after the instant `after`."""
        async with self._lock:
            if self._running is None or not self._fresh(self._running, LIST_FRESH_S, after):
                # In the lane of the attempts: every preflight that has been made waits for nothing else.
                self._running = await self._read(Lane.SEND, status="Running")
            return self._running

    async def since(self, instants: Iterable[datetime], *, max_age_s: float, after: datetime | None) -> JobList | None:
        """Every job created since the earliest of `instants`, which are the cloud's.

        The list is at most so old and was read after the instant `after`, which is ours.
        """
        since = min(instants)
        async with self._lock:
            known = self._all
            covers = known is not None and known.since is not None and known.since <= since
            if known is None or not covers or not self._fresh(known, max_age_s, after):
                self._all = await self._read(Lane.POLL, since=since)
            return self._all

    def showed(self, key: str, before: datetime) -> bool:
        """Whether a list had shown a job before an instant: whatever began then is not that job."""
        shown = self._shown.get(key)
        return shown is not None and shown.first < before

    async def _read(self, lane: Lane, *, since: datetime | None = None, status: str | None = None) -> JobList | None:
        listing = await read_jobs(self.scope, lane, since=since, status=status)
        if listing is not None:
            self._remember(listing, self.scope.clock.now())
        return listing

    def _remember(self, listing: JobList, now: datetime) -> None:
        keys, forgotten = listing.keys(), now - timedelta(seconds=_REMEMBERED_S)
        for key in keys:
            self._shown.setdefault(key, _Showing(now, now)).last = now
        self._shown = {key: shown for key, shown in self._shown.items() if shown.last >= forgotten}

    def _fresh(self, listing: JobList, max_age_s: float, after: datetime | None) -> bool:
        age_s = (self.scope.clock.now() - listing.asked_at).total_seconds()
        return age_s <= max_age_s and (after is None or listing.asked_at > after)
