"""What readings of the cloud that concern no single target change in a run."""

from orchestrator.model.record.capacity import TAKES_WITHIN_S, SubnetRead, SubnetStatus, subnet_status
from orchestrator.model.record.cloud_event_record import CloudEventsRead
from orchestrator.model.reply.cloud_event import by_instance, events_missing
from orchestrator.model.run.known import Indexes


def read_cloud(known: Indexes, record: SubnetRead | CloudEventsRead) -> None:
    """What was read."""
    if isinstance(record, SubnetRead):
        _read_subnet(known, record)
    else:
        _read_events(known, record)


def _read_subnet(known: Indexes, record: SubnetRead) -> None:
    """How many addresses a subnet has left."""
    if record.denied and record.scope not in known.capacity_denied:
        known.capacity_denied[record.scope] = record.why or "denied"
        known.warnings.append(f"the free addresses of scope {record.scope} are not looked at: {record.why}")
    there = known.tally.open_subnets.get(record.subnet_id, ())
    known.subnets[record.subnet_id] = subnet_status(
        known.subnets.get(record.subnet_id) or SubnetStatus(),
        record,
        needs={proxy_id: known.addresses(known.targets[proxy_id]) for proxy_id in there},
        young={proxy_id for proxy_id in there if _is_young(known, proxy_id, record)},
        now=known.timeline.moment(record.at, record.scope),
    )


def _is_young(known: Indexes, proxy_id: str, record: SubnetRead) -> bool:
    """Whether an upgrade may not have taken its addresses yet when they were counted."""
    sent = known.states[proxy_id].last.sent
    return known.timeline.elapsed_s(sent, record.at, record.scope) < TAKES_WITHIN_S


def _read_events(known: Indexes, record: CloudEventsRead) -> None:
    """What the cloud is about to do to instances of a scope."""
    known.cloud_events[record.scope] = by_instance(record.events)
    if record.denied:
        known.events_denied[record.scope] = record.why or "denied"
    if record.why is not None and (words := events_missing(record.scope, record.why)) not in known.warnings:
        known.warnings.append(words)
