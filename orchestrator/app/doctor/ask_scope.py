"""What one scope is asked: a few reads, one after the other, each made once. No call of another kind is made here."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from orchestrator.app.doctor import judge_answers
from orchestrator.app.doctor.diagnosis import Diagnosis
from orchestrator.app.doctor.judge_answers import INSTANCES, PROXIES, TASKS, VERSIONS, Permission
from orchestrator.app.scopes.inventory_api import FleetApi
from orchestrator.executor.ports import CloudApi
from orchestrator.executor.rate.lane import Lane
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.model.plan.plan import Discover
from orchestrator.model.plan.target import Target
from orchestrator.model.reply.reply import Answered, Exchange, Failure, JobPage, Page, Reply, Throttled, Unauthenticated
from orchestrator.planner.targets.instance_filter import server_filters
from orchestrator.planner.targets.instance_row import BadProxyId, may_have_proxies, proxies_in_list, text_of

T = TypeVar("T")


async def ask_scope(scope: ScopeCalls, targets: Sequence[Target], entries: Sequence[Discover]) -> list[Diagnosis]:
    """What the answers of a scope say.

    Args:
        scope: whose calls are used. A task must serve its lanes.
        targets: of the plan that are in it; one of them is read.
        entries: of the plan's discovery that are about it; without targets, the first one finds what is read.
    """
    asking = _Asking(scope)
    if await asking.opens():
        scope.gate.open()  # for who asks it more
        await asking.read(targets, entries)
    return asking.diagnoses


class _Asking:
    def __init__(self, scope: ScopeCalls) -> None:
        self.diagnoses: list[Diagnosis] = []
        self._scope = scope
        self._about = f"scope {scope.name}"
        self._credentials: Failure | None = None

    async def opens(self) -> bool:
        """The first read. Credentials that are refused are renewed once, as a run does, and not tried again."""
        reply = await self._scope.credentials.probe(lambda: self._first(renew=False))
        if isinstance(reply, Unauthenticated):
            reply = await self._scope.credentials.probe(lambda: self._first(renew=True))
        if self._credentials is not None or (isinstance(reply, Unauthenticated) and reply.exchange == Exchange()):
            self.diagnoses.append(judge_answers.no_credentials(self._about, reply))
            return False
        self.diagnoses += [
            judge_answers.endpoint(self._about, reply),
            judge_answers.clock(self._about, reply.exchange),
            judge_answers.credentials(self._about, reply),
        ]
        if reply.exchange.http_status is None or isinstance(reply, Unauthenticated):
            return False
        self.diagnoses.append(judge_answers.permission(self._about, TASKS, reply))
        return True

    async def _first(self, *, renew: bool) -> Reply[JobPage]:
        self._credentials = await (self._scope.renew() if renew else self._scope.prepare())
        if self._credentials is not None:
            return self._credentials
        return await self._ask(lambda api: api.jobs(offset=1, status="Running"))

    async def read(self, targets: Sequence[Target], entries: Sequence[Discover]) -> None:
        """One instance and one proxy for all."""
        instance_id = targets[0].instance_id if targets else None
        listed = await self._listed(entries[0]) if entries else None
        instance_id = instance_id or listed
        if instance_id is None:
            self.diagnoses += [self._untried(needed, "no instance is known") for needed in (PROXIES, VERSIONS)]
            return
        proxy_id = await self._proxy_of(instance_id)
        target_id = targets[0].proxy_id if targets else proxy_id
        if target_id is None:
            self.diagnoses.append(self._untried(VERSIONS, "no proxy is known"))
            return
        reply = await self._ask(lambda api: api.proxy_version(instance_id, target_id))
        self.diagnoses.append(judge_answers.permission(self._about, VERSIONS, reply))

    async def _listed(self, entry: Discover) -> str | None:
        """An instance that an entry means and that may have a proxy."""
        if entry.instances.ids:  # discovery needs no list then
            return entry.instances.ids[0]
        reply = await self._look(lambda api: api.instances(offset=0, filters=server_filters(entry.instances)))
        self.diagnoses.append(judge_answers.permission(self._about, INSTANCES, reply))
        rows = reply.value.rows if isinstance(reply, Answered) else ()
        return next((text_of(row, "id") for row in rows if may_have_proxies(row)), None)

    async def _proxy_of(self, instance_id: str) -> str | None:
        reply = await self._look(lambda api: api.proxies(instance_id))
        self.diagnoses.append(judge_answers.permission(self._about, PROXIES, reply))
        try:
            proxies = proxies_in_list(reply.value.rows) if isinstance(reply, Answered) else ()
        except BadProxyId:  # discovery says which
            return None
        return proxies[0].proxy_id if proxies else None

    async def _look(self, call: Callable[[FleetApi], Awaitable[Reply[Page]]]) -> Reply[Page]:
        api = self._scope.api
        if not isinstance(api, FleetApi):
            raise TypeError(f"{self._about}: its client cannot look a fleet over")
        return await self._ask(lambda _: call(api))

    async def _ask(self, call: Callable[[CloudApi], Awaitable[Reply[T]]]) -> Reply[T]:
        if not await self._scope.lanes.turn(Lane.START):  # also in a pause that another process was told
            return Throttled(self._scope.lanes.held_s, Exchange())
        return await self._scope.send(call)

    def _untried(self, needed: Permission, why: str) -> Diagnosis:
        return judge_answers.untried(self._about, needed, why)
