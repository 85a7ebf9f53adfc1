"""Jobs of one scope that are looked up by their ids, for all who ask. Where a job runs never changes.

When answers cross, there are as many such ids as doubts, and each doubt wants to know about all of them. So each job is
asked for about once, not by every doubt.
"""

from collections.abc import Awaitable, Collection
from datetime import datetime

import anyio
import msgspec

from orchestrator.executor.ports import CloudApi
from orchestrator.executor.rate.lane import Lane
from orchestrator.executor.scope.call import Call
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.model.reply.reply import Answered, Job, Reply, same_id


class _Look(msgspec.Struct, frozen=True):
    asked_at: datetime
    job: Job | None

    def tells(self, instance_id: str, after: datetime) -> bool:
        """Whether it is known from this look what the job is for an instance: nothing, or what it was after then."""
        place = None if self.job is None else self.job.instance_id
        elsewhere = place is not None and not same_id(place, instance_id)
        return elsewhere or self.asked_at > after


class JobPlaces(msgspec.Struct):
    """The latest look at each job of one scope. While one caller looks, the others wait for what it brings."""

    scope: ScopeCalls
    _looks: dict[str, _Look] = {}
    _lock: anyio.Lock = msgspec.field(default_factory=lambda: anyio.Lock(fast_acquire=True))

    async def on(self, instance_id: str, job_ids: Collection[str], *, after: datetime) -> dict[str, Job | None] | None:
        """The jobs of these ids as they were after an instant; None for one that the cloud does not show.

        Jobs that run on other instances may have been read before. None when one could not be read.
        """
        async with self._lock:
            for job_id in sorted(job_ids):
                known = self._looks.get(job_id)
                if known is not None and known.tells(instance_id, after):
                    continue
                asked_at = self.scope.clock.now()
                reply = await self.scope.read(_job(job_id), Lane.POLL)
                if not isinstance(reply, Answered):
                    return None
                self._looks[job_id] = _Look(asked_at, reply.value)
            return {job_id: self._looks[job_id].job for job_id in job_ids}


def _job(job_id: str) -> Call[Job | None]:
    def call(api: CloudApi) -> Awaitable[Reply[Job | None]]:
        return api.job(job_id)

    return call
