"""Read something of the cloud that starts depend on, and record it. A reading that fails touches no scope."""

from functools import partial
from typing import Literal

from orchestrator.errors import place_of
from orchestrator.executor.ask.read_events import ask_events
from orchestrator.executor.ask.read_subnet import ask_subnet
from orchestrator.executor.decide.actions import ReadCloud
from orchestrator.executor.decide.bench import EVENTS
from orchestrator.executor.requeue import reopen
from orchestrator.executor.session import Session
from orchestrator.executor.supervise import Service
from orchestrator.model.record.capacity import SubnetRead
from orchestrator.model.record.cloud_event_record import CloudEventsRead
from orchestrator.model.record.turn_record import ReadingAsked
from orchestrator.model.reply.cloud_event import by_instance
from orchestrator.model.run.run import Run


def cloud_reading(session: Session, action: ReadCloud) -> Service:
    """The task that reads it; it counts as being read from now on."""
    _begin(session, action)
    kind, value = action.block
    name = f"the cloud's own events of scope {value}" if kind == EVENTS else f"the addresses of subnet {value}"
    return Service(name, partial(_read, session, action, name))


def ask_to_read(session: Session, action: ReadCloud) -> None:
    """Ask the host that serves the scope; what it reads comes by the log, and counts as being read from now on."""
    _begin(session, action)
    kind, value = action.block
    name: Literal["subnet", "events"] = "events" if kind == EVENTS else "subnet"
    session.ledger.note(ReadingAsked(at=session.clock.now(), scope=action.scope, kind=name, value=value))


def _begin(session: Session, action: ReadCloud) -> None:
    reading = session.rollout.readings[action.block]
    reading.asking, reading.asked_at, reading.scope = True, session.clock.now(), action.scope


async def _read(session: Session, action: ReadCloud, name: str) -> None:
    """Read; what cannot be read bounds nothing, and what was read before holds on."""
    reading = session.rollout.readings[action.block]
    try:
        record = await _asked(session, action)
    except Exception as error:  # noqa: BLE001  # a bulkhead: the run goes on as if nobody had asked
        session.ledger.part_failed(name, error)
        record = _failed(session, action, place_of(error))
    reading.asking, reading.read_at = False, reading.asked_at
    if isinstance(record, CloudEventsRead):
        reading.refused = frozenset(record.refused)
    if session.leads and isinstance(record, CloudEventsRead) and _is_no_news(record, session.run):
        reopen(session.rollout, record)
        session.ledger.wake()
    else:
        session.ledger.note(record)


def _is_no_news(record: CloudEventsRead, run: Run) -> bool:
    return record.why is None and by_instance(record.events) == by_instance(run.events_of(record.scope))


async def _asked(session: Session, action: ReadCloud) -> SubnetRead | CloudEventsRead:
    kind, value = action.block
    calls = session.scopes[action.scope]
    if kind == EVENTS:
        refused = session.rollout.readings[action.block].refused
        return await ask_events(calls, session.clock, session.run.events_of(value), refused)
    return await ask_subnet(calls, session.clock, value)


def _failed(session: Session, action: ReadCloud, why: str) -> SubnetRead | CloudEventsRead:
    kind, value = action.block
    now = session.clock.now()
    if kind == EVENTS:
        refused = tuple(sorted(session.rollout.readings[action.block].refused))
        return CloudEventsRead(
            at=now, scope=action.scope, events=session.run.events_of(value), why=why, refused=refused
        )
    return SubnetRead(at=now, scope=action.scope, subnet_id=value, why=why)
