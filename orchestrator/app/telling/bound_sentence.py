"""A sentence for each record of what bounds the starts of a run."""

from typing import TypeAlias

from orchestrator.model import record as r
from orchestrator.spoken import counted

Bound: TypeAlias = r.EarlierStarts | r.LimitsChanged


def bound_sentence(record: Bound) -> str:
    """What bounds the starts from now on."""
    match record:
        case r.EarlierStarts(instants=instants):
            return f"earlier runs made {counted(len(instants), 'attempt')} that may count in this window"
        case r.LimitsChanged(limits=limits, note=note):
            changed = f"limits changed to {limits}" if limits.named else "limits are the plan's again"
            return f"{changed}, by {record.who}: {note}"
