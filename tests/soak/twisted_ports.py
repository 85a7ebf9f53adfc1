"""Journals and clouds that mislead an executor: each keeps the real one behind it, and twists one thing."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import msgspec
from msgspec.structs import replace
from soak.life import Life

from orchestrator.executor.ports import CloudApi, JournalPort, Pending
from orchestrator.model.learned.timeline import Timeline
from orchestrator.model.plan.plan import Plan
from orchestrator.model.record.moment import Moment
from orchestrator.model.record.record import Intent, Record
from orchestrator.model.reply.reply import Answered, Entry, EventPage, Job, JobPage, ProxyHealth, ProxyVersion, Reply

#: A workflow that is shown as ours, and is nobody's.
PRESENCE = "00000000-0000-4000-0000-000000000000"


class WallTimeline(Timeline):
    """Takes the difference of two instants for the time that has passed."""

    def elapsed_s(self, since: Moment, at: datetime, scope: str) -> float:
        del scope
        return (at - since.at).total_seconds()


class WallLife(Life):
    """Goes by the wall clock alone."""

    def now(self) -> datetime:
        return self.wall()


class Done:
    async def wait(self) -> None:
        """It only says so."""


class EditedJournal:
    """Writes what an editor makes of each record; None: nothing."""

    def __init__(self, journal: JournalPort, edit: Callable[[Record], Record | None]) -> None:
        self._journal = journal
        self._edit = edit

    def append_nowait(self, record: Record) -> Pending:
        edited = self._edit(record)
        return Done() if edited is None else self._journal.append_nowait(edited)


class HastyJournal:
    """Says that an intent is on disk as soon as it was handed over."""

    def __init__(self, journal: JournalPort) -> None:
        self._journal = journal

    def append_nowait(self, record: Record) -> Pending:
        pending = self._journal.append_nowait(record)
        return Done() if isinstance(record, Intent) else pending


class Never:
    async def wait(self) -> None:
        """Nobody tells."""
        await asyncio.Event().wait()


class FragileJournal:
    """Dies of a record that cannot be encoded, and tells nobody who waits, then or later."""

    def __init__(self, journal: JournalPort) -> None:
        self._journal = journal
        self._dead = False

    def append_nowait(self, record: Record) -> Pending:
        with suppress(UnicodeError):
            msgspec.json.encode(record)
            return Never() if self._dead else self._journal.append_nowait(record)
        self._dead = True
        return Never()


class Api:
    """Everything as the cloud says; what is broken overrides it."""

    def __init__(self, api: CloudApi, plan: Plan) -> None:
        self._api = api
        self._plan = plan
        self.prepare, self.renew = api.prepare, api.renew

    @property
    def generation(self) -> int:
        return self._api.generation

    @property
    def project_id(self) -> str | None:
        return self._api.project_id

    async def upgrade(self, instance_id: str, proxy_id: str, source: str, target: str) -> Reply[tuple[Entry, ...]]:
        return await self._api.upgrade(instance_id, proxy_id, source, target)

    async def proxy_version(self, instance_id: str, proxy_id: str) -> Reply[ProxyVersion]:
        return await self._api.proxy_version(instance_id, proxy_id)

    async def proxy_health(self, instance_id: str, proxy_id: str) -> Reply[ProxyHealth]:
        return await self._api.proxy_health(instance_id, proxy_id)

    async def proxy_ids(self, instance_id: str) -> Reply[tuple[str, ...]]:
        return await self._api.proxy_ids(instance_id)

    async def job(self, job_id: str) -> Reply[Job | None]:
        return await self._api.job(job_id)

    async def jobs(
        self, *, offset: int, start_time: datetime | None = None, status: str | None = None, job_id: str | None = None
    ) -> Reply[JobPage]:
        return await self._api.jobs(offset=offset, start_time=start_time, status=status, job_id=job_id)

    async def schedule_events(self, *, offset: int) -> Reply[EventPage]:
        return await self._api.schedule_events(offset=offset)

    async def scheduled_jobs(self, *, offset: int) -> Reply[EventPage]:
        return await self._api.scheduled_jobs(offset=offset)

    async def subnet_addresses(self, subnet_id: str) -> Reply[int]:
        return await self._api.subnet_addresses(subnet_id)


class HopefulApi(Api):
    """Takes an upgrade that was accepted for one that succeeded."""

    def __init__(self, api: CloudApi, plan: Plan) -> None:
        super().__init__(api, plan)
        self._accepted: set[str] = set()

    async def upgrade(self, instance_id: str, proxy_id: str, source: str, target: str) -> Reply[tuple[Entry, ...]]:
        reply = await super().upgrade(instance_id, proxy_id, source, target)
        if isinstance(reply, Answered):
            self._accepted.add(proxy_id)
        return reply

    async def proxy_version(self, instance_id: str, proxy_id: str) -> Reply[ProxyVersion]:
        reply = await super().proxy_version(instance_id, proxy_id)
        if isinstance(reply, Answered) and proxy_id in self._accepted:
            return Answered(replace(reply.value, current_version=self._plan.target_version), reply.exchange)
        return reply

    async def proxy_health(self, instance_id: str, proxy_id: str) -> Reply[ProxyHealth]:
        reply = await super().proxy_health(instance_id, proxy_id)
        hopeful = isinstance(reply, Answered) and proxy_id in self._accepted
        return Answered(ProxyHealth(status="ACTIVE"), reply.exchange) if hopeful else reply


class ImpatientApi(Api):
    """Takes every job that it sees for completed."""

    async def job(self, job_id: str) -> Reply[Job | None]:
        reply = await super().job(job_id)
        if isinstance(reply, Answered) and reply.value is not None:
            return Answered(replace(reply.value, status="Completed"), reply.exchange)
        return reply


class RawApi(Api):
    """Takes the bytes of a header as they are."""

    async def upgrade(self, instance_id: str, proxy_id: str, source: str, target: str) -> Reply[tuple[Entry, ...]]:
        reply = await super().upgrade(instance_id, proxy_id, source, target)
        if not isinstance(reply, Answered) or "\\" not in (reply.exchange.request_id or ""):
            return reply
        return Answered(reply.value, replace(reply.exchange, request_id="\udcff"))


class TrustingApi(Api):
    """Shows an accepted workflow in every list, as if all of ours could be seen there."""

    async def jobs(
        self, *, offset: int, start_time: datetime | None = None, status: str | None = None, job_id: str | None = None
    ) -> Reply[JobPage]:
        reply = await super().jobs(offset=offset, start_time=start_time, status=status, job_id=job_id)
        if not isinstance(reply, Answered) or status is not None:
            return reply
        page = reply.value
        total = None if page.total_count is None else page.total_count + 1
        seen = Job(job_id=PRESENCE, name="UpgradeElsewhere", status="Completed", instance_id="f" * 32 + "in07")
        return Answered(JobPage(jobs=(*page.jobs, seen), total_count=total), reply.exchange)
