"""A cloud in memory, on virtual time: one scope with its proxies, jobs and moods, and books of what really happened."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from fakes.acts import ACCEPT, Act, Fate, Update, exchange
from msgspec.structs import replace

from orchestrator.executor.ports import Clock
from orchestrator.model.plan.target import Target
from orchestrator.model.reply.cloud_event import CloudEvent
from orchestrator.model.reply.reply import (
    Answered,
    EventPage,
    Exchange,
    Failure,
    Job,
    JobPage,
    ProxyHealth,
    ProxyVersion,
    Refused,
    Reply,
    Unauthenticated,
)

OLD, NEW = "2.23.12.000", "2.24.03.000"
JOB_NAME = "UpgradeProxyVersion"
PAGE = 50
PLENTY = 60_000

T = TypeVar("T")


@dataclass
class FakeJob:
    """One job of the cloud; everything about it follows from the instant.

    Attributes:
        proxy_id: None: a foreign one.
        offset: of the cloud's clock when it was created; None: as it is when it is looked at.
    """

    job_id: str
    instance_id: str
    proxy_id: str | None
    created_at: datetime
    fate: Fate
    name: str = JOB_NAME
    offset: timedelta | None = None

    @property
    def ends_at(self) -> datetime:
        return self.created_at + timedelta(seconds=self.fate.duration_s)

    def visible(self, now: datetime) -> bool:
        after = self.fate.visible_after_s
        return after is not None and now >= self.created_at + timedelta(seconds=after)

    def flipped(self, now: datetime) -> bool:
        flips = self.fate.flips
        return flips is not None and now >= self.created_at + timedelta(seconds=flips * self.fate.duration_s)

    def seen(self, now: datetime, offset: timedelta) -> Job:
        over = now >= self.ends_at
        offset = offset if self.offset is None else self.offset
        return Job(
            job_id=self.job_id,
            name=self.name,
            status=self.fate.status if over else self.fate.meanwhile,
            instance_id=self.instance_id,
            created_at=(self.created_at + offset).replace(microsecond=0),
            ended_at=(self.ends_at + offset).replace(microsecond=0) if over else None,
            fail_reason=self.fate.fail_reason if over else None,
            extend_fields=f'{{"proxy_id":"{self.proxy_id}"}}' if self.fate.named and self.proxy_id else None,
        )


@dataclass(frozen=True)
class Called:
    """One call that reached the cloud, or would have."""

    at: datetime
    name: str
    key: str
    number: int


@dataclass
class FakeCloud:
    """One scope. Implements `orchestrator.executor.ports.CloudApi`.

    Attributes:
        acts: what the upgrade calls for a proxy come to, one after the other; `default_act` when they are used up.
        fates: what the upgrades of a proxy come to.
        reads: asked before every GET with its name, its key and its number; a failure is the reply.
        books: effective starts by proxy.
        offset_s: the cloud's clock minus the true time.
        host_off_s: the clock of the host, as its session began, minus the true time.
        dated: whether answers bear a `Date`.
        date_off_s: that `Date` minus the cloud's clock: the gateway need not have the clock of the jobs.
        filters: whether the job list heeds `start_time`.
        listed_under: the instance that the list gives the jobs of a proxy.
        unlisted: proxies that the list of their instance does not show.
        planned: events of the cloud's own.
        put_off: what the console was told to do later.
        lists_lag_s: how far the job list is behind.
        most_calls: a guard against loops that burn calls.
    """

    clock: Clock
    targets: Iterable[Target]
    acts: dict[str, list[Act]] = field(default_factory=dict)
    fates: dict[str, Fate] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    default_act: Act = ACCEPT
    default_fate: Fate = field(default_factory=Fate)
    latency_s: float = 0.05
    offset_s: float = 0.0
    host_off_s: float = 0.0
    dated: bool = True
    date_off_s: float = 0.0
    filters: bool = True
    listed_under: dict[str, str | None] = field(default_factory=dict)
    reads: Callable[[str, str, int], Failure | None] = lambda _name, _key, _number: None
    can_upgrade: dict[str, bool] = field(default_factory=dict)
    latest: str = NEW
    offsets: str = "page"
    hides_total: bool = False
    planned: list[CloudEvent] = field(default_factory=list)
    put_off: list[CloudEvent] = field(default_factory=list)
    unlisted: set[str] = field(default_factory=set)
    lists_lag_s: float = 0.0
    most_calls: int = 200_000
    down: Callable[[datetime], Failure | None] = lambda _now: None
    renewal: Callable[[int], Failure | None] = lambda _number: None
    credentials: Callable[[], Failure | None] = lambda: None
    refuses_generation: Callable[[datetime, int], bool] = lambda _now, _generation: False
    prefix: str = "wf"

    def __post_init__(self) -> None:
        self.proxies = {target.proxy_id: target for target in self.targets}
        self.jobs_made: list[FakeJob] = []
        self.foreign: list[FakeJob] = []
        self.calls: list[Called] = []
        self.counts: Counter[str] = Counter()
        self.upgrades: Counter[str] = Counter()
        self.books: Counter[str] = Counter()
        self.renewals = 0
        self.generation = 1
        self.under_way = 0
        self.most_under_way = 0
        self.refused_calls = 0
        self.by_proxy: dict[str, list[FakeJob]] = defaultdict(list)

    @property
    def project_id(self) -> str:
        return "p-default"

    # --- the port ----------------------------------------------------------------------------------------------------

    async def prepare(self) -> Failure | None:
        return self.credentials()

    async def renew(self) -> Failure | None:
        self.renewals += 1
        await self.clock.sleep(self.latency_s)
        failure = self.renewal(self.renewals)
        if failure is None:
            self.generation += 1
        return failure

    async def upgrade(self, instance_id: str, proxy_id: str, source_version: str, target_version: str) -> Update:
        assert source_version == self.version_of(proxy_id) or self.books[proxy_id], "upgrade from a wrong version"
        assert target_version == NEW
        failure = self._arrive("upgrade", proxy_id)
        number = self.upgrades[proxy_id]
        self.upgrades[proxy_id] += 1
        if failure is not None:
            await self.clock.sleep(self.latency_s)
            return failure
        script = self.acts.get(proxy_id, [])
        act = script[number] if number < len(script) else self.default_act
        return await self._perform(act, instance_id, proxy_id, number)

    async def proxy_version(self, instance_id: str, proxy_id: str) -> Reply[ProxyVersion]:
        def value() -> Reply[ProxyVersion]:
            if proxy_id not in self.proxies:
                return Refused("no such proxy", exchange(404, "DBS.280238"), not_found=True)
            return self._answered(
                ProxyVersion(
                    current_version=self.version_of(proxy_id),
                    latest_version=self.latest,
                    can_upgrade=self.can_upgrade.get(proxy_id, True),
                )
            )

        assert proxy_id not in self.proxies or self.proxies[proxy_id].instance_id == instance_id
        return await self._get("proxy_version", proxy_id, value)

    async def proxy_health(self, instance_id: str, proxy_id: str) -> Reply[ProxyHealth]:
        def value() -> Reply[ProxyHealth]:
            if proxy_id not in self.proxies or proxy_id in self.unlisted:
                return self._answered(ProxyHealth(status=None))
            return self._answered(ProxyHealth(status="ACTIVE", nodes=self.nodes_of(proxy_id)))

        assert instance_id
        return await self._get("proxy_health", proxy_id, value)

    async def schedule_events(self, *, offset: int) -> Reply[EventPage]:
        return self._events("schedule_events", self.planned[offset:])

    async def scheduled_jobs(self, *, offset: int) -> Reply[EventPage]:
        return self._events("scheduled_jobs", self.put_off[offset:])

    def _events(self, name: str, events: Sequence[CloudEvent]) -> Reply[EventPage]:
        self.counts[name] += 1
        return Answered(EventPage(tuple(events), len(events), len(events)), Exchange(http_status=200))

    async def subnet_addresses(self, subnet_id: str) -> Reply[int]:
        assert subnet_id
        return Answered(PLENTY, Exchange(http_status=200))

    async def proxy_ids(self, instance_id: str) -> Reply[tuple[str, ...]]:
        ids = tuple(key for key, proxy in self.proxies.items() if proxy.instance_id == instance_id)
        return await self._get("proxy_ids", instance_id, lambda: self._answered(ids))

    async def job(self, job_id: str) -> Reply[Job | None]:
        def value() -> Reply[Job | None]:
            now = self.clock.now()
            found = next((job for job in self._all_jobs(now) if job.job_id == job_id and job.visible(now)), None)
            return self._answered(found.seen(now, self._offset) if found else None)

        return await self._get("job", job_id, value)

    async def jobs(
        self, *, offset: int, start_time: datetime | None = None, status: str | None = None, job_id: str | None = None
    ) -> Reply[JobPage]:
        def value() -> Reply[JobPage]:
            rows = [row for row in self._rows(start_time) if status in (None, row.status)]
            rows = [row for row in rows if job_id in (None, row.job_id)]
            begin = {"page": (offset - 1) * PAGE, "record": offset - 1, "record0": offset}[self.offsets]
            page = tuple(rows[max(0, begin) : max(0, begin) + PAGE])
            return self._answered(JobPage(jobs=page, total_count=None if self.hides_total else len(rows)))

        return await self._get("jobs", status or "", value)

    # --- the books ---------------------------------------------------------------------------------------------------

    def version_of(self, proxy_id: str) -> str:
        """What the proxy runs now."""
        now = self.clock.now()
        flipped = any(job.created_at <= now and job.flipped(now) for job in self.by_proxy[proxy_id])
        return NEW if flipped else self.versions.get(proxy_id, OLD)

    def nodes_of(self, proxy_id: str) -> tuple[str, ...]:
        """Status of the proxy's nodes now."""
        now = self.clock.now()
        ended = [job for job in self.by_proxy[proxy_id] if job.ends_at <= now]
        return ended[-1].fate.nodes if ended else ("ACTIVE", "ACTIVE")

    def add_foreign(self, instance_id: str, after_s: float, fate: Fate, name: str = "BackupSnapshot") -> FakeJob:
        """Somebody else's job on an instance, so many seconds after the start."""
        at = self._zero() + timedelta(seconds=after_s)
        job = FakeJob(f"foreign-{len(self.foreign)}", instance_id, None, at, fate, name)
        self.foreign.append(job)
        return job

    def as_of(self, clock: Clock, keep: Callable[[str, int], bool]) -> "FakeCloud":
        """The same cloud for another session: only upgrade calls that `keep` (proxy_id, number) names were made."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        other = type(self)(**{**fields, "clock": clock, "targets": list(self.proxies.values())})
        other.foreign = list(self.foreign)
        for proxy_id, count in self.upgrades.items():
            other.upgrades[proxy_id] = sum(keep(proxy_id, number) for number in range(count))
        for job in self.jobs_made:
            number = int(job.job_id.rsplit("-", 1)[1])
            if job.proxy_id is not None and keep(job.proxy_id, number):
                other._start(job)
        return other

    # --- inside ------------------------------------------------------------------------------------------------------

    @property
    def _offset(self) -> timedelta:
        return timedelta(seconds=self.offset_s)

    @property
    def _reported_s(self) -> float | None:
        return self.offset_s + self.date_off_s - self.host_off_s if self.dated else None

    def _zero(self) -> datetime:
        return getattr(self.clock, "start", None) or self.clock.now()

    def _arrive(self, name: str, key: str) -> Failure | None:
        assert len(self.calls) < self.most_calls, "a loop burns calls"
        now = self.clock.now()
        self.counts[name] += 1
        self.calls.append(Called(now, name, key, self.counts[name]))
        if self.refuses_generation(now, self.generation):
            self.refused_calls += 1
            return Unauthenticated("token expired", exchange(401, "APIGW.0301"), generation=self.generation)
        failure = self.down(now)
        return failure if failure is not None or name == "upgrade" else self.reads(name, key, self.counts[name])

    async def _get(self, name: str, key: str, value: Callable[[], Reply[T]]) -> Reply[T]:
        failure = self._arrive(name, key)
        await self.clock.sleep(self.latency_s)
        return value() if failure is None else failure

    async def _perform(self, act: Act, instance_id: str, proxy_id: str, number: int) -> Update:
        job_id = f"{self.prefix}-{proxy_id[:32].lstrip('0') or '0'}-{number}"
        if act.effect:
            at = self.clock.now() + timedelta(seconds=act.effect_after_s)
            fate = self.fates.get(proxy_id, self.default_fate)
            self._start(FakeJob(job_id, instance_id, proxy_id, at, fate, offset=self._offset))
        generation = self.generation
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await self.clock.sleep(self.latency_s if act.latency_s is None else act.latency_s)
        finally:
            self.under_way -= 1
        reply = act.reply(instance_id, job_id)
        return self._dated(reply, generation)

    def _start(self, job: FakeJob) -> None:
        assert job.proxy_id is not None
        self.books[job.proxy_id] += 1
        self.jobs_made.append(job)
        self.by_proxy[job.proxy_id].append(job)

    def _dated(self, reply: Update, generation: int) -> Update:
        if isinstance(reply, Unauthenticated):
            return Unauthenticated(reply.reason, reply.exchange, generation)
        if isinstance(reply, Answered):
            exchange: Any = reply.exchange
            return Answered(reply.value, _with_offset(exchange, self._reported_s))
        return reply

    def _answered(self, value: T) -> Answered[T]:
        return Answered(value, Exchange(http_status=200, cloud_offset_s=self._reported_s, duration_ms=20))

    def _all_jobs(self, now: datetime) -> list[FakeJob]:
        return [job for job in (*self.jobs_made, *self.foreign) if job.created_at <= now]

    def _rows(self, start_time: datetime | None) -> list[Job]:
        now = self.clock.now()
        jobs = [job for job in self._all_jobs(now) if job.fate.listed and job.visible(now)]
        then = now - timedelta(seconds=self.lists_lag_s)
        rows = [self._row(job, then) for job in sorted(jobs, key=lambda job: job.created_at, reverse=True)]
        since = start_time if self.filters else None
        return [row for row in rows if since is None or (row.created_at and row.created_at >= since)]

    def _row(self, job: FakeJob, then: datetime) -> Job:
        row = job.seen(then, self._offset)
        return replace(row, instance_id=self.listed_under.get(job.proxy_id or "", row.instance_id))


def _with_offset(exchange: Exchange, offset_s: float | None) -> Exchange:
    return Exchange(
        http_status=exchange.http_status,
        request_id=exchange.request_id,
        duration_ms=exchange.duration_ms,
        cloud_offset_s=offset_s,
    )
