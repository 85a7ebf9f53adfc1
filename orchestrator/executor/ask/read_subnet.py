"""Ask once how many addresses a subnet has left. Whatever fails here touches no scope and no target."""

from orchestrator.executor.ports import Clock
from orchestrator.executor.rate.lane import Lane
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.model.record.capacity import SubnetRead
from orchestrator.model.reply.reply import Answered, Failure, Refused, in_words

#: What the reading needs, as an administrator knows it.
PERMISSION = "vpc:subnets:get"


async def ask_subnet(calls: ScopeCalls, clock: Clock, subnet: str) -> SubnetRead:
    """Ask once, in its turn by the rate, and counted; but what comes of it says nothing of the scope."""
    await calls.lanes.turn(Lane.POLL)
    asked_s = clock.monotonic()
    reply = await calls.api.subnet_addresses(subnet)
    if not isinstance(reply, Refused) or reply.exchange.http_status is not None:  # else there was no address to ask
        calls.usage.count(asked_s)
    free = reply.value if isinstance(reply, Answered) else None
    denied = not isinstance(reply, Answered) and is_denied(reply)
    words = None if isinstance(reply, Answered) else in_words(reply)
    why = f"that needs {PERMISSION} ({words})" if denied else words
    return SubnetRead(at=clock.now(), scope=calls.name, subnet_id=subnet, free=free, why=why, denied=denied)


def is_denied(failure: Failure) -> bool:
    """Whether the scope may not ask at all: no permission, or no address to ask. A token that has ended is renewed."""
    return isinstance(failure, Refused) and failure.exchange.http_status in (None, 401, 403)
