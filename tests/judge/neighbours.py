"""Whether a run minded what the cloud told it of subnets and of its own events, by the books of the cloud."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from orchestrator.model.plan.plan import Plan
from orchestrator.model.record import record as r
from orchestrator.model.record.capacity import SubnetRead
from orchestrator.model.reply.cloud_event import CloudEvent

_NO_TIME = timedelta()

#: An event counts from so long before it begins.
_BEFORE = timedelta(hours=1)


class Short(NamedTuple):
    """An upgrade that the cloud refused for want of addresses."""

    at: datetime
    proxy_id: str
    subnet: str


def capacity_violations(plan: Plan, records: Sequence[r.Record], short: Iterable[Short]) -> Iterator[str]:
    """Every upgrade that was refused for want of addresses, unless its session had tried in vain to count them."""
    if plan.capacity is None or plan.follow.to == "accepted":
        return
    begun = [record.at for record in records if isinstance(record, r.SessionStarted)]
    readings = [record for record in records if isinstance(record, SubnetRead)]
    for each in short:
        session = max((at for at in begun if at <= each.at), default=None)
        if session is None:  # of a session that was cut off, as the cloud has it
            continue
        own = [read for read in readings if read.subnet_id == each.subnet and session <= read.at <= each.at]
        if not own or any(read.free is not None for read in own):
            yield f"{each.proxy_id} was refused for addresses of subnet {each.subnet} at {each.at}"


def event_violations(
    plan: Plan, records: Iterable[r.Record], events: Sequence[CloudEvent], ahead: timedelta = _NO_TIME
) -> Iterator[str]:
    """Every attempt on an instance from an hour before an event until its end.

    Args:
        plan: the rules.
        records: of the whole run.
        events: all of the cloud's own, of every scope.
        ahead: how far the calendar is ahead of the records' instants.
    """
    if plan.cloud_events == "off":
        return
    instances = {target.proxy_id: target.instance_id for target in plan.proxies}
    for record in records:
        if not isinstance(record, r.Intent):
            continue
        at = record.at + ahead
        for event in events:
            if event.starts is None or event.instance_id.lower() != instances[record.target or ""]:
                continue
            if event.starts - _BEFORE <= at < (event.ends or event.starts + _BEFORE):
                yield f"{record} by an event of the cloud: {event}"
