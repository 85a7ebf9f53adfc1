"""A sentence for each record of what bounds the starts of a run."""

from typing import TypeAlias

from orchestrator.model.record import record as r
from orchestrator.spoken import counted

Bound: TypeAlias = r.EarlierStarts | r.LimitsChanged | r.SubnetRead | r.CloudEventsRead


def bound_sentence(record: Bound) -> str:
    """What bounds the starts from now on."""
    match record:
        case r.EarlierStarts(instants=instants):
            return f"earlier runs made {counted(len(instants), 'attempt')} that may count in this window"
        case r.LimitsChanged(limits=limits, note=note):
            changed = f"limits changed to {limits}" if limits.named else "limits are the plan's again"
            return f"{changed}, by {record.who}: {note}"
        case r.CloudEventsRead(scope=scope, events=events, why=why):
            found = f"the cloud has {counted(len(events), 'event')} of its own in scope {scope}"
            return found if why is None else f"{found}, as far as is known: {why}"
        case r.SubnetRead(subnet_id=subnet, free=free, why=why):
            return f"subnet {subnet} {f'cannot be read: {why}' if free is None else f'has {free:,} addresses left'}"
