"""What the journal of another run tells of a workflow_id, and whether it is told of a job that a list shows here.

A cloud gives each id once. Should one give it again, the job that it names may be anybody's: an id alone says whose a
job is only as long as nothing that is seen of the job contradicts it.
"""

from datetime import datetime, timedelta

import msgspec

from orchestrator.model.reply.reply import Job, same_id

#: The `Date` header and the times of jobs have full seconds only …
_SECONDS = timedelta(seconds=2)
#: … and may come from clocks of their own.
_MARGIN = timedelta(minutes=5)


class ToldElsewhere(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow_id in the journal of another run.

    Attributes:
        proxy_id: of the target that was given it.
        sent: the intent of that target's attempt, in the cloud's time.
        told: when the journal first names it, in the cloud's time.
    """

    fleet: str
    run_id: str
    proxy_id: str
    instance_id: str
    sent: datetime
    told: datetime

    def __str__(self) -> str:
        return f"run {self.run_id} of fleet {self.fleet} has that workflow_id, for proxy {self.proxy_id}"

    def is_of(self, job: Job, since: datetime) -> bool:
        """Whether it is told of this very job: the same instance, no other proxy, and a beginning that fits.

        Args:
            job: as a list shows it.
            since: an attempt of ours, in the cloud's time. What began after it was not known before it.
        """
        if job.proxies and not job.names(self.proxy_id):
            return False
        if job.instance_id and not same_id(job.instance_id, self.instance_id):
            return False
        return job.created_at is not None and self._fits(job.created_at, since)

    def _fits(self, created_at: datetime, since: datetime) -> bool:
        """Every margin ends where the job may be ours instead."""
        if self.told <= since:
            return self.sent - _MARGIN <= created_at <= min(self.told + _MARGIN, since - _SECONDS)
        return self.sent - _SECONDS <= created_at <= self.told + _MARGIN

    def may_be_on(self, instance_id: str, since: datetime) -> bool:
        """Whether a job on an instance, seen after an attempt of ours and shown no more, may be what it is told of."""
        return same_id(self.instance_id, instance_id) and self.told > since
