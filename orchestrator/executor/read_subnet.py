"""Read once how many addresses a subnet has left, and record it. Whatever fails here touches no scope and no target."""

from functools import partial

from orchestrator.errors import place_of
from orchestrator.executor.ports import Clock
from orchestrator.executor.rate.lanes import Lane
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.executor.session import Session
from orchestrator.executor.supervise import Service
from orchestrator.model.capacity import SubnetRead
from orchestrator.model.reply import Answered, Failure, Refused, Unauthenticated, in_words

#: What the reading needs, as an administrator knows it.
PERMISSION = "vpc:subnets:get"


def subnet_reading(session: Session, scope: str, subnet: str) -> Service:
    """The task that reads a subnet; it counts as being read from now on."""
    reading = session.rollout.readings[subnet]
    reading.asking, reading.asked_at = True, session.clock.now()
    return Service(f"the addresses of subnet {subnet}", partial(read_subnet, session, scope, subnet))


async def read_subnet(session: Session, scope: str, subnet: str) -> None:
    """Read; what cannot be read bounds nothing, and what was read before holds on."""
    reading = session.rollout.readings[subnet]
    try:
        record = await ask_subnet(session.scopes[scope], session.clock, subnet)
    except Exception as error:  # noqa: BLE001  # a bulkhead: the run goes on as if nobody had asked
        session.ledger.part_failed(f"the addresses of subnet {subnet}", error)
        record = SubnetRead(at=session.clock.now(), scope=scope, subnet_id=subnet, why=place_of(error))
    reading.asking, reading.answered, reading.failed = False, True, record.free is None
    session.ledger.note(record)


async def ask_subnet(calls: ScopeCalls, clock: Clock, subnet: str) -> SubnetRead:
    """Ask once, in its turn by the rate, and counted; but what comes of it says nothing of the scope."""
    await calls.lanes.turn(Lane.POLL)
    calls.usage.count(clock.monotonic())
    reply = await calls.api.subnet_addresses(subnet)
    free = reply.value if isinstance(reply, Answered) else None
    denied = not isinstance(reply, Answered) and _is_denied(reply)
    words = None if isinstance(reply, Answered) else in_words(reply)
    why = f"that needs {PERMISSION} ({words})" if denied else words
    return SubnetRead(at=clock.now(), scope=calls.name, subnet_id=subnet, free=free, why=why, denied=denied)


def _is_denied(failure: Failure) -> bool:
    """Whether the scope may not ask at all: no permission, or no address to ask."""
    if isinstance(failure, Unauthenticated):
        return True
    return isinstance(failure, Refused) and failure.exchange.http_status in (None, 401, 403)
