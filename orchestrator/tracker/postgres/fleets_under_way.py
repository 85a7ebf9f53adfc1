"""Which fleets are under way: a process holds their lock, alive or not, or has just left them to the next host."""

from datetime import datetime

import msgspec

from orchestrator.model.record.record import Record, SessionEnded
from orchestrator.model.record.session_record import LEFT_FOR
from orchestrator.tracker.postgres.database import Database
from orchestrator.tracker.postgres.rows import content

_records: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)
#: Of a fleet that nobody holds, the latest record of its sessions: it is among the last of its log.
_FLEETS = """
select f.fleet, f.holder is not null, latest.body, latest.crc from orchestrator.fleet f
left join lateral (
  select j.body, j.crc from orchestrator.journal j
  where f.holder is null and record in ('session_started', 'session_ended', 'run_ended') and j.run = (
    select r.run from orchestrator.run r where r.fleet = f.fleet order by r.run_id collate "C" desc limit 1
  )
  order by j.seq desc limit 1
) latest on true
where position('/' in f.fleet) = 0 order by f.fleet
"""


def under_way(database: Database, host: str, now: datetime) -> list[str]:
    """The names of these fleets, as far as they concern a host; simulated runs are not among them.

    Raises:
        StateError: the database cannot be used.
    """
    rows = database.rows(_FLEETS)
    return [fleet for fleet, held, *row in rows if held or _left(f"{database}/{fleet}", row, host, now)]


def _left(place: str, row: list[object], host: str, now: datetime) -> bool:
    body, crc = row
    if body is None:
        return False
    record = content(_records, place, body, crc)
    return isinstance(record, SessionEnded) and record.goes_on_at(host) and now - record.at < LEFT_FOR
