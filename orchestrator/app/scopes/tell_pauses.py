"""A pause that the cloud asks for, told by a verb that keeps no journal while it waits."""

from collections.abc import Callable
from datetime import datetime, timedelta

from orchestrator.model.record.record import Record, ScopeThrottled
from orchestrator.spoken import spoken

#: A shorter pause is over before anybody wonders.
_WORTH_TELLING = timedelta(seconds=3)


def telling_pauses(tell: Callable[[str], None]) -> Callable[[Record], None]:
    """What takes the records of scopes and tells of each pause once, however many calls met it.

    Args:
        tell: takes a line for people.
    """
    told: dict[str, datetime] = {}

    def note(record: Record) -> None:
        if not isinstance(record, ScopeThrottled):
            return
        ends = record.probe_at or record.until
        if ends - max(record.at, told.get(record.scope, record.at)) >= _WORTH_TELLING:
            told[record.scope] = ends
            tell(_words(record, ends))

    return note


def _words(record: ScopeThrottled, ends: datetime) -> str:
    lasts = spoken((ends - record.at).total_seconds())
    return f"scope {record.scope}: the cloud asks for a pause, waiting {lasts}, until {ends:%H:%M:%S} UTC: {record.why}"
