"""What of old runs may go: those that have ended long ago, and of which a later run says as much about every target."""

from datetime import datetime

from orchestrator.tracker.postgres.database import Database

#: Kept are the latest run of each fleet, what has not ended, and what is the last word on a target and a version.
_PRUNE = """
with ended as (
  select r.run, r.fleet, r.run_id, convert_from(r.plan, 'UTF8')::jsonb ->> 'target_version' as version,
    (convert_from(j.body, 'UTF8')::jsonb ->> 'at')::timestamptz as at
  from orchestrator.run r join orchestrator.journal j on j.run = r.run and j.record = 'run_ended'
), later as (
  select run, fleet, run_id collate "C" as run_id, convert_from(plan, 'UTF8')::jsonb ->> 'target_version' as version
  from orchestrator.run
)
delete from orchestrator.run r using ended e
where r.run = e.run and e.at < %(before)s
  and exists (select from later l where l.fleet = e.fleet and l.run_id > e.run_id collate "C")
  and not exists (
    select from orchestrator.target t where t.run = e.run and not exists (
      select from later l join orchestrator.target o on o.run = l.run and o.proxy_id = t.proxy_id
      where l.fleet = e.fleet and l.version = e.version and l.run_id > e.run_id collate "C"
    )
  )
returning r.fleet, r.run_id
"""


def prune(database: Database, before: datetime) -> list[tuple[str, str]]:
    """Remove runs that ended before an instant and that nothing asks for any more; each by its fleet and id.

    Raises:
        StateError: the database cannot be used.
    """
    removed = database.run(lambda connection: connection.execute(_PRUNE, {"before": before}).fetchall())
    return sorted((str(fleet), str(run_id)) for fleet, run_id in removed)
