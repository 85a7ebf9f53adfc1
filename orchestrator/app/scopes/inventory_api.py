"""The calls by which a fleet is looked over, which the executor does not need, and reading with them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Literal, Protocol, TypeAlias, TypeVar, runtime_checkable

from orchestrator.executor.rate.lane import Lane
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.model.reply.reply import Answered, Busy, Doubtful, Page, Refused, Reply

T = TypeVar("T")

#: v3.1 is the present one; v3 is deprecated, and there where the other is not.
ApiVersion: TypeAlias = Literal["v3.1", "v3"]


@runtime_checkable
class FleetApi(Protocol):
    """Further calls of one scope: one method, at most one HTTP request, one reply, as `CloudApi` has it."""

    async def instances(
        self, *, offset: int, version: ApiVersion = "v3.1", filters: Mapping[str, str] | None = None
    ) -> Reply[Page]:
        """GET instances, one page of 100."""

    async def instance_details(self, instance_ids: Sequence[str]) -> Reply[Page]:
        """GET instances/details, at most 20 ids."""

    async def proxies(self, instance_id: str) -> Reply[Page]:
        """GET proxies of the instance; no rows when it has none."""

    async def scheduled_upgrade(self, instance_id: str, proxy_id: str) -> Reply[Page]:
        """POST schedule-tasks/exist, which only reads; no rows when nothing is scheduled."""


async def look(
    scope: ScopeCalls, call: Callable[[FleetApi], Awaitable[Reply[T]]]
) -> Answered[T] | Refused | Busy | Doubtful:
    """Read in turn, tried again as every GET is.

    Raises:
        ScopeGone: the scope was given up.
    """
    api = scope.api
    if not isinstance(api, FleetApi):
        raise TypeError(f"scope {scope.name}: its client cannot look a fleet over")
    return await scope.read(lambda _: call(api), Lane.POLL)
