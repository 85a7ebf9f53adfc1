"""The calls of the TaurusDB API, for one scope: which path, which query, which body, how the answer reads.

Paths and parameters: `huaweicloudsdkgaussdb.v3.gaussdb_client` 3.1.219 and the pages of api-taurusdb.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Literal, TypeGuard, TypeVar

import msgspec

from orchestrator.cloud.caller import Caller
from orchestrator.cloud.cloud_eye import CloudEyeClient
from orchestrator.cloud.reading import decode
from orchestrator.cloud.reading.codes import NO_PROXY, canonical
from orchestrator.cloud.reading.decode import Decode
from orchestrator.cloud.reading.decode_events import schedule_events, scheduled_jobs
from orchestrator.cloud.secrets.secret import HIDDEN
from orchestrator.model.reply.reply import (
    JOBS_PER_PAGE,
    Answered,
    Entry,
    EventPage,
    Exchange,
    Failure,
    Job,
    JobPage,
    Page,
    ProxyHealth,
    ProxyVersion,
    Refused,
    Reply,
)

#: `engine_name` of ShowProxyVersion; the only documented value.
ENGINE = "taurusproxy"

#: Rows of one page of the cloud's own events.
EVENTS_PER_PAGE = 100

#: Rows of one page of instances.
INSTANCES_PER_PAGE = 100
#: Most ids that one question for details may name.
DETAILS_PER_CALL = 20

_LONGEST_JOB_ID = 128

T = TypeVar("T")


class Client:
    """One method, at most one request, one reply; see `CloudApi` and, for finding proxies, the last four methods."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        #: Where metrics are read; None when nobody will.
        self.eye: CloudEyeClient | None = None
        #: Where subnets are read; None where no address is known of it.
        self.vpc: Caller | None = None

    @property
    def generation(self) -> int:
        """Number of the credentials in use; grows with every renewal."""
        return self._caller.generation

    @property
    def project_id(self) -> str | None:
        """The plan's, or the one that `prepare` looked up; None before."""
        return self._caller.project_id

    async def prepare(self) -> Failure | None:
        """Ensure that the next request can be signed; look the project id up if the plan has none.

        Does not touch the scope's service. `Unauthenticated` when there are no credentials, or no such project, and
        trying again cannot help; `NotSent` when IAM could not be reached.
        """
        return await self._caller.prepare()

    async def renew(self) -> Failure | None:
        """Get new credentials after a refusal: read the file, variable or command again, or log in again."""
        return await self._caller.renew()

    async def upgrade(
        self, instance_id: str, proxy_id: str, source_version: str, target_version: str
    ) -> Reply[tuple[Entry, ...]]:
        """POST upgrade-version (UpgradeProxyVersion). Never sent twice by anything below this method."""
        body = msgspec.json.encode({"source_version": source_version, "target_version": target_version})
        path = ("instances", instance_id, "proxy", proxy_id, "upgrade-version")
        reply = await self._caller.call("POST", decode.upgrade_entries, "v3", *path, body=body)
        if isinstance(reply, Answered):
            return Answered(tuple(map(_without_hidden_id, reply.value)), reply.exchange)
        return reply

    async def proxy_version(self, instance_id: str, proxy_id: str) -> Reply[ProxyVersion]:
        """GET proxy-version (ShowProxyVersion)."""
        path = ("instances", instance_id, "proxy", proxy_id, ENGINE, "proxy-version")
        return await self._caller.call("GET", decode.proxy_version, "v3", *path)

    async def proxy_health(self, instance_id: str, proxy_id: str) -> Reply[ProxyHealth]:
        """GET proxies of the instance (ShowGaussMySqlProxyList), reduced to one; status None when it is not listed."""
        reply = await self._proxies(instance_id, partial(decode.proxy_health, proxy_id=proxy_id))
        return Answered(ProxyHealth(status=None), reply.exchange) if _no_proxy(reply) else reply

    async def proxy_ids(self, instance_id: str) -> Reply[tuple[str, ...]]:
        """GET proxies of the instance (ShowGaussMySqlProxyList), reduced to their ids; none when it has no proxy."""
        reply = await self._proxies(instance_id, decode.proxy_ids)
        return Answered((), reply.exchange) if _no_proxy(reply) else reply

    async def job(self, job_id: str) -> Reply[Job | None]:
        """GET jobs?id= (ShowGaussMySqlJobInfo); None when the cloud knows no such job, as it does of a new one."""
        if not 0 < len(job_id) <= _LONGEST_JOB_ID:
            return Refused(f"not a job id, nothing was sent: {job_id[:80]!r}", Exchange())
        decoded = partial(decode.job, job_id=job_id)
        reply = await self._caller.call("GET", decoded, "v3", "jobs", query=[("id", job_id)])
        if isinstance(reply, Refused) and reply.not_found:
            return Answered(None, reply.exchange)
        return reply

    async def jobs(
        self, *, offset: int, start_time: datetime | None = None, status: str | None = None, job_id: str | None = None
    ) -> Reply[JobPage]:
        """GET immediate-jobs (ListImmediateJobs), one page of 50.

        The documentation calls `offset` a record offset, its default is 1, and terraform steps it by one per page: the
        caller has to find out which the service means.
        """
        query = [("offset", str(offset)), ("limit", str(JOBS_PER_PAGE))]
        if start_time is not None:
            query.append(("start_time", start_time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")))
        query += [(name, value) for name, value in (("status", status), ("job_id", job_id)) if value is not None]
        return await self._caller.call("GET", decode.job_page, "v3", "immediate-jobs", query=query)

    async def instances(
        self,
        *,
        offset: int,
        version: Literal["v3.1", "v3"] = "v3.1",
        filters: Mapping[str, str] | None = None,
        limit: int = INSTANCES_PER_PAGE,
    ) -> Reply[Page]:
        """GET instances (ListGaussMySqlInstancesUnifyStatus, or with v3 the older ListGaussMySqlInstances).

        Args:
            offset: of records.
            version: of the API.
            filters: `id`, `name` (`*` before it: a part of it), `vpc_id`, `tags` (`key=value,…`) and so on.
            limit: at most 100.
        """
        query = [("offset", str(offset)), ("limit", str(limit)), *sorted((filters or {}).items())]
        return await self._caller.call("GET", decode.instances, version, "instances", query=query)

    async def instance_details(self, instance_ids: Sequence[str]) -> Reply[Page]:
        """GET instances/details (ListGaussMySqlInstanceDetailInfoUnifyStatus), at most 20 ids."""
        query = [("instance_ids", ",".join(instance_ids))]
        return await self._caller.call("GET", decode.instances, "v3.1", "instances", "details", query=query)

    async def proxies(self, instance_id: str) -> Reply[Page]:
        """GET proxies of the instance (ShowGaussMySqlProxyList); no rows when the cloud says that it has none."""
        reply = await self._proxies(instance_id, decode.proxies)
        return Answered(Page(rows=(), total_count=None), reply.exchange) if _no_proxy(reply) else reply

    async def scheduled_upgrade(self, instance_id: str, proxy_id: str) -> Reply[Page]:
        """POST schedule-tasks/exist (CheckScheduleTaskExist), which only reads: upgrades planned in the console."""
        body = msgspec.json.encode({"schedule_type": "PROXY_VERSION_UPGRADE", "proxy_id": proxy_id})
        path = ("instances", instance_id, "schedule-tasks", "exist")
        return await self._caller.call("POST", decode.scheduled_upgrade, "v3", *path, body=body)

    async def schedule_events(self, *, offset: int) -> Reply[EventPage]:
        """GET schedule-events (ShowInstanceScheduleEvents), one page of 100."""
        query = [("limit", str(EVENTS_PER_PAGE)), ("offset", str(offset))]
        return await self._caller.call("GET", schedule_events, "v3", "schedule-events", query=query)

    async def scheduled_jobs(self, *, offset: int) -> Reply[EventPage]:
        """GET scheduled-jobs (ListScheduleJobs), one page of 100."""
        query = [("offset", str(offset)), ("limit", str(EVENTS_PER_PAGE))]
        return await self._caller.call("GET", scheduled_jobs, "v3", "scheduled-jobs", query=query)

    async def subnet_addresses(self, subnet_id: str) -> Reply[int]:
        """GET subnets/{id} of VPC (ShowSubnet): how many addresses it has left."""
        if self.vpc is None:
            return Refused("no address is known of its VPC service; see vpc_endpoint", Exchange())
        failure = await self.vpc.prepare()
        return failure or await self.vpc.call("GET", decode.free_addresses, "v1", "subnets", subnet_id)

    async def _proxies(self, instance_id: str, decoded: Decode[T]) -> Reply[T]:
        query = [("offset", "0"), ("limit", str(decode.PROXIES_PER_PAGE))]
        return await self._caller.call("GET", decoded, "v3", "instances", instance_id, "proxies", query=query)


def _without_hidden_id(entry: Entry) -> Entry:
    """A secret in the place of an id is hidden, and what is left of it is no id: none came."""
    hidden = entry.workflow_id is not None and HIDDEN in entry.workflow_id
    return msgspec.structs.replace(entry, workflow_id=None) if hidden else entry


def _no_proxy(reply: Reply[T]) -> TypeGuard[Refused]:
    """Whether the refusal only says that the instance has no proxy."""
    exchange = reply.exchange
    return isinstance(reply, Refused) and (exchange.http_status, canonical(exchange.error_code or "")) in NO_PROXY
