"""The statements of a run's log, see `run_log`."""

EPOCH = "select epoch from orchestrator.fleet where fleet = %(fleet)s"
LOCK_FLEET = f"{EPOCH} for share"
LOCK_RUN = "select 1 from orchestrator.run where run = %(run)s for no key update"
#: A beat of the server passes; who takes a group waits.
LOCK_GROUPS = """
select 1 from orchestrator.serving where fleet = %(fleet)s and grp = any(%(groups)s) order by grp for key share
"""
#: A group that is not, or no more, this server's for the holder of the fleet that it serves.
_LOST = """
(select from unnest(%(groups)s::text[], %(group_epochs)s::bigint[]) as mine (grp, epoch)
 where not exists (select from orchestrator.serving s where s.fleet = %(fleet)s and s.grp = mine.grp
                   and s.epoch = mine.epoch and s.lead_epoch = %(epoch)s))
"""
#: That of no holder where a group is lost.
EPOCH_OF_SERVED = f"select case when exists {_LOST} then -1 else ({EPOCH}) end"  # constants
#: Another host has added what an intent must not be added behind. Only what is not known here is looked at.
_OVERTAKEN = """
(select from orchestrator.journal as j where run = %(run)s and seq > %(last)s and cardinality(%(begins)s::text[]) > 0
  and (target = any(%(begins)s) or record = any(%(restricting)s) and not exists (
    select from unnest(%(unless_kinds)s::text[], %(unless)s::bytea[]) as u (kind, mark)
    where u.kind = j.record and position(u.mark in j.body) > 0)))
"""
_ADD = """
with mine as (
  select row_number() over (order by r.i) - 1 as n, r.*
  from unnest(%(targets)s::text[], %(attempts)s::int[], %(records)s::text[], %(bodies)s::bytea[],
              %(crcs)s::bigint[]) with ordinality as r (target, attempt, record, body, crc, i)
  where r.record <> 'intent' or not exists {overtaken}
), taken as (
  update orchestrator.run set next_seq = next_seq + (select count(*) from mine) where run = %(run)s
    and (%(free)s or exists (select from orchestrator.fleet where fleet = %(fleet)s and epoch = %(epoch)s) {fence})
    and not exists (select from orchestrator.journal where run = %(run)s and seq > %(last)s and nonce = %(nonce)s)
  returning next_seq - (select count(*) from mine) as first
), named as (
  insert into orchestrator.workflow (run, seq, workflow_id, target, stray)
  select %(run)s, taken.first + mine.n, w.workflow_id, w.target, w.stray
  from taken, unnest(%(indexes)s::int[], %(workflows)s::text[], %(owners)s::text[], %(strays)s::bool[])
    as w (i, workflow_id, target, stray) join mine on mine.i = w.i + 1
)
insert into orchestrator.journal (run, seq, target, attempt, record, host, nonce, body, crc)
select %(run)s, taken.first + mine.n, mine.target, mine.attempt, mine.record, %(host)s, %(nonce)s, mine.body, mine.crc
from taken, mine
"""
ADD_AS_HOLDER = _ADD.format(fence="", overtaken=_OVERTAKEN)
ADD_AS_SERVER = _ADD.format(fence=f"and not exists {_LOST}", overtaken=_OVERTAKEN)
TAIL = """
select seq, nonce = %(nonce)s, case when nonce = %(nonce)s then null else body end, crc
from orchestrator.journal where run = %(run)s and seq > %(last)s order by seq
"""
