"""What persons did in a run: started its sessions, held and released it, changed limits, settled, handed it over."""

from datetime import datetime
from typing import NamedTuple

from orchestrator.model.plan.person import person
from orchestrator.model.record.record import (
    CommandIgnored,
    FleetClaimed,
    HoldReleased,
    HoldSet,
    LimitsChanged,
    Record,
    ReturnedToWaiting,
    SessionStarted,
    Settled,
    WaveApproved,
)

CLAIMED = "handed the fleet over"


class Act(NamedTuple):
    """One of these: when, by whom (user and host), what, and the note that was given."""

    at: datetime
    who: str
    did: str
    note: str | None = None


#: Records that may tell of a person; most tell of none.
BY_PERSONS = frozenset(
    {
        SessionStarted,
        HoldSet,
        HoldReleased,
        WaveApproved,
        LimitsChanged,
        FleetClaimed,
        CommandIgnored,
        Settled,
        ReturnedToWaiting,
    }
)


def act_of(record: Record) -> Act | None:
    """What a person did, by a record; None when it tells of none.

    A hold of an earlier run, and limits that were changed in one, were told there.
    """
    found: Act | None
    match record:
        case SessionStarted():
            found = Act(record.at, record.who, f"started session {record.number}")
        case HoldSet(who=str(who)) if record.command:
            found = Act(record.began_at, who, "held the fleet", record.note)
        case HoldReleased():
            found = Act(record.since or record.at, record.who, "released the fleet", record.note)
        case WaveApproved():
            found = Act(record.since or record.at, record.who, f"approved wave {record.wave}", record.note)
        case LimitsChanged(limits=limits) if record.command:
            did = f"changed limits: {limits}" if limits.named else "let the limits of the plan hold again"
            found = Act(record.began_at, record.who, did, record.note)
        case FleetClaimed():
            found = Act(record.since, record.who, f"{CLAIMED} from {record.before} to {record.after}")
        case CommandIgnored() if record.by:
            found = Act(record.at, person(record.by, record.host), f"asked, and nothing came of it: {record.why}")
        case Settled(settled_by=str(user)):
            did = f"settled {record.target} as {record.outcome.value}"
            found = Act(record.at, person(user, record.host), did, record.note)
        case ReturnedToWaiting():
            found = Act(record.at, record.who, f"settled {record.target} as not_sent", record.note)
        case _:
            found = None
    return found
