"""Read once how many addresses a subnet has left, and record it. Whatever fails here touches no scope and no target."""

from functools import partial

from orchestrator.errors import place_of
from orchestrator.executor.rate.lanes import Lane
from orchestrator.executor.session import Session
from orchestrator.executor.supervise import Service
from orchestrator.model.capacity import SubnetRead
from orchestrator.model.reply import Answered, Failure, Refused, Reply, Unauthenticated, in_words

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
        record = _judged(scope, subnet, await _asked(session, scope, subnet), session)
    except Exception as error:  # noqa: BLE001  # a bulkhead: the run goes on as if nobody had asked
        session.ledger.part_failed(f"the addresses of subnet {subnet}", error)
        record = SubnetRead(at=session.clock.now(), scope=scope, subnet_id=subnet, why=place_of(error))
    reading.asking, reading.answered, reading.failed = False, True, record.free is None
    session.ledger.note(record)


async def _asked(session: Session, scope: str, subnet: str) -> Reply[int]:
    """In its turn by the rate, and counted; but what comes of it says nothing of the scope."""
    calls = session.scopes[scope]
    await calls.lanes.turn(Lane.POLL)
    calls.usage.count(session.clock.monotonic())
    return await calls.api.subnet_addresses(subnet)


def _judged(scope: str, subnet: str, reply: Reply[int], session: Session) -> SubnetRead:
    now = session.clock.now()
    if isinstance(reply, Answered):
        return SubnetRead(at=now, scope=scope, subnet_id=subnet, free=reply.value)
    denied = _is_denied(reply)
    why = f"which needs {PERMISSION}: {in_words(reply)}" if denied else in_words(reply)
    return SubnetRead(at=now, scope=scope, subnet_id=subnet, why=why, denied=denied)


def _is_denied(failure: Failure) -> bool:
    """Whether the scope may not ask at all: no permission, or no address to ask."""
    if isinstance(failure, Unauthenticated):
        return True
    return isinstance(failure, Refused) and failure.exchange.http_status in (None, 401, 403)
