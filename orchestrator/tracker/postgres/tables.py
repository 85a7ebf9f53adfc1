"""The tables, and what they must be for the program to rely on them."""

from orchestrator.errors import StateError
from orchestrator.pattern import pattern
from orchestrator.tracker.postgres.database import Connection

#: What this program makes and knows.
VERSION = 2

#: A fleet's row is its lock: `epoch` counts who has had it, and each writer says which one he is. The beat stands
#: apart, so that it waits for nobody who writes. Numbers of records come from the run's row, under its lock, so that
#: their order is the order of the commits and none is missing.
TABLES = """\
create schema if not exists orchestrator;
create table if not exists orchestrator.meta (version int not null);
create table if not exists orchestrator.fleet (
  fleet text primary key, owner text, epoch bigint not null default 0, holder text, token text,
  commands bigint not null default 0, notices bytea
);
create table if not exists orchestrator.beat (
  fleet text primary key references orchestrator.fleet on delete cascade, at timestamptz not null
);
create table if not exists orchestrator.standby (
  fleet text references orchestrator.fleet on delete cascade, token text, host text not null,
  since timestamptz not null, at timestamptz not null, primary key (fleet, token)
);
create table if not exists orchestrator.serving (
  fleet text references orchestrator.fleet on delete cascade, grp text, lead_epoch bigint,
  epoch bigint not null default 0, host text, token text, since timestamptz, at timestamptz, primary key (fleet, grp)
);
create table if not exists orchestrator.run (
  run bigint generated always as identity primary key, fleet text not null references orchestrator.fleet,
  run_id text not null, plan bytea not null, settings bytea not null, targets int not null, next_seq bigint not null,
  unique (fleet, run_id)
);
create table if not exists orchestrator.target (
  run bigint references orchestrator.run on delete cascade, position int, proxy_id text not null,
  body bytea not null, crc bigint not null, primary key (run, position)
);
create index if not exists target_of on orchestrator.target (run, proxy_id);
create table if not exists orchestrator.journal (
  run bigint references orchestrator.run on delete cascade, seq bigint, target text, attempt int, record text not null,
  host text not null, nonce text not null, body bytea not null, crc bigint not null, primary key (run, seq)
);
create index if not exists journal_of on orchestrator.journal (run, target, seq);
create unique index if not exists one_intent on orchestrator.journal (run, target, attempt) where record = 'intent';
create table if not exists orchestrator.workflow (
  run bigint references orchestrator.run on delete cascade, seq bigint, workflow_id text, target text,
  stray bool not null
);
create index if not exists workflow_of on orchestrator.workflow (run, seq);
create index if not exists workflow_by on orchestrator.workflow (run, workflow_id);
create table if not exists orchestrator.command (
  fleet text references orchestrator.fleet on delete cascade, number bigint, nonce text not null,
  body bytea not null, crc bigint not null, primary key (fleet, number)
);
create table if not exists orchestrator.rate_slot (
  key text primary key, next_at float8 not null, low float8 not null, low_at float8 not null
);
create table if not exists orchestrator.rate (key text primary key, body bytea not null);
"""

_LOCK = "select pg_advisory_xact_lock(hashtext('orchestrator tables'))"
_MADE = pattern(r"exists (?:orchestrator\.)?(\w+)(?: on| \()")
#: The names of all that `TABLES` makes in the schema.
_NAMES = frozenset(_MADE.findall(TABLES))
_FOUND = "select relname from pg_class where relnamespace = 'orchestrator'::regnamespace"
#: What makes a commit that was confirmed survive a crash.
_DURABLE = ("fsync", "full_page_writes")


def make_tables(connection: Connection) -> None:
    """Make what is missing. Two who do it at once do it one after the other.

    Raises:
        StateError: they are of a newer version.
    """
    with connection.transaction():
        connection.execute(_LOCK)
        connection.execute(TABLES)
        connection.execute(
            "insert into orchestrator.meta select %s where not exists (select from orchestrator.meta)", (VERSION,)
        )
        expect_version(connection)
        connection.execute("update orchestrator.meta set version = %s where version < %s", (VERSION, VERSION))


def expect_version(connection: Connection) -> None:
    """The tables are those that this program knows.

    Raises:
        StateError: a newer program has made them.
    """
    row = connection.execute("select version from orchestrator.meta").fetchone()
    if row is not None and int(str(row[0])) > VERSION:
        raise StateError(
            f"the tables are of version {row[0]}, and this version of orchestrator knows {VERSION}",
            hint="use at least the version of orchestrator that made them",
        )


def not_durable(connection: Connection) -> list[str]:
    """The settings of the server without which a confirmed commit may be lost."""
    found = ((name, connection.execute(f"show {name}").fetchone()) for name in _DURABLE)
    return [f"{name} = off" for name, row in found if row is not None and row[0] == "off"]


def missing(connection: Connection) -> list[str]:
    """The tables and indexes that an older program's tables do not have yet."""
    return sorted(_NAMES - {str(name) for (name,) in connection.execute(_FOUND)})


def standby_remarks(connection: Connection) -> list[str]:
    """A standby that is behind may lose an intent when it takes over."""
    found = connection.execute("select count(*) from pg_stat_replication where sync_state = 'async'").fetchone()
    asynchronous = 0 if found is None else int(str(found[0]))
    if not asynchronous:
        return []
    return ["a standby is not synchronous: after a failover an intent may be gone, and its upgrade be sent again"]
