"""What the executor needs from the world, in its own words. Nothing here knows who implements it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from orchestrator.model.plan.health_gate import GateFinding, GateQuestion, HealthGate
from orchestrator.model.plan.metric import Points, Series
from orchestrator.model.record.record import Record
from orchestrator.model.reply.reply import Entry, EventPage, Failure, Job, JobPage, ProxyHealth, ProxyVersion, Reply


class CloudApi(Protocol):
    """The calls of one scope: one method, at most one HTTP request, one reply.

    No method raises for anything that the network or the cloud does, each ends within the time-outs of the plan, and
    none waits for a rate or tries again: that is the caller's business.
    """

    @property
    def generation(self) -> int:
        """Number of the credentials in use; grows with every renewal."""

    @property
    def project_id(self) -> str | None:
        """The plan's, or the one that `prepare` looked up from the region; None before."""

    async def prepare(self) -> Failure | None:
        """Ensure that the next request can be signed, fetching or renewing a token that is about to expire."""

    async def renew(self) -> Failure | None:
        """Get new credentials after a refusal: read the file, variable or command again, or log in again."""

    async def upgrade(
        self, instance_id: str, proxy_id: str, source_version: str, target_version: str
    ) -> Reply[tuple[Entry, ...]]:
        """POST upgrade-version. The entries of the answer, in order; none when the list was empty."""

    async def proxy_version(self, instance_id: str, proxy_id: str) -> Reply[ProxyVersion]:
        """GET proxy-version."""

    async def proxy_health(self, instance_id: str, proxy_id: str) -> Reply[ProxyHealth]:
        """GET proxies of the instance, reduced to one proxy."""

    async def proxy_ids(self, instance_id: str) -> Reply[tuple[str, ...]]:
        """GET proxies of the instance, reduced to their ids."""

    async def job(self, job_id: str) -> Reply[Job | None]:
        """GET jobs?id=; None when the cloud knows no such job (yet)."""

    async def jobs(
        self, *, offset: int, start_time: datetime | None = None, status: str | None = None, job_id: str | None = None
    ) -> Reply[JobPage]:
        """GET immediate-jobs, one page of 50."""

    async def schedule_events(self, *, offset: int) -> Reply[EventPage]:
        """GET schedule-events, one page of 100: what the cloud has planned for instances."""

    async def scheduled_jobs(self, *, offset: int) -> Reply[EventPage]:
        """GET scheduled-jobs, one page of 100: what the console was told to do later."""

    async def subnet_addresses(self, subnet_id: str) -> Reply[int]:
        """GET subnets/{id} of VPC: how many addresses it has left."""


class MetricsApi(Protocol):
    """Where metrics of the proxies of one scope are read. As `CloudApi`: no method raises, or tries again."""

    async def prepare(self) -> Failure | None:
        """Ensure that the next request can be signed."""

    async def nodes(self, instance_id: str) -> Reply[dict[str, tuple[str, ...]]]:
        """GET proxies of the instance: the ids of the nodes of each. A call of the scope's own service."""

    async def samples(self, asked: Sequence[Series], start_s: float, end_s: float) -> Reply[Points]:
        """What was measured from `start_s` on and before `end_s`, both in seconds since 1970."""


class GateAsker(Protocol):
    """Where gates are asked. No question raises, and each ends within the time-out of its gate."""

    async def ask(self, gate: HealthGate, question: GateQuestion) -> GateFinding:
        """One question, one finding."""


class Clock(Protocol):
    """Time: steady UTC for the journal and all that has to last; the wall clock for windows; seconds for pacing."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC, steady: the difference of two readings is time that really passed."""

    def wall(self) -> datetime:
        """What the wall clock shows, aware, in UTC, wherever it was set to: for the calendar alone."""

    def monotonic(self) -> float:
        """Seconds from some fixed point, never going back."""

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds of monotonic time."""


class Pending(Protocol):
    """A record on its way to the disk."""

    async def wait(self) -> None:
        """Return when it is there; raise `StateError` when it could not be written."""


class JournalPort(Protocol):
    """Where records go. Every record reaches `Ledger.on_durable` once, in the journal's order, when it is on disk."""

    def append_nowait(self, record: Record) -> Pending:
        """Hand over a record, keeping the order of the calls."""
