"""One call to a scope: its type, what it asks for, and the plainest one there is."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

from orchestrator.executor.ports import CloudApi
from orchestrator.model.reply.reply import Answered, Busy, Job, JobPage, ProxyHealth, ProxyVersion, Refused, Reply

T = TypeVar("T")
Call: TypeAlias = Callable[[CloudApi], Awaitable[Reply[T]]]


async def running_jobs(api: CloudApi) -> Reply[JobPage]:
    """The plainest one: the first page of the jobs that run."""
    return await api.jobs(offset=1, status="Running")


def kind_of(reply: Answered[T] | Refused | Busy) -> str:
    """What was asked, where that always takes about as long: lists take as long as they are long."""
    value = reply.value if isinstance(reply, Answered) else None
    return type(value).__name__ if isinstance(value, ProxyVersion | ProxyHealth | Job | tuple) else ""
