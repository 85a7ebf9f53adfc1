"""Which host serves which group of scopes, by the rows: one at a time, and only for the one who works on the fleet."""

from threading import Event, Thread

import pytest
from fakes.standing_by import beat, dead

from orchestrator.model.plan.plan import Scope
from orchestrator.model.plan.served_group import group_of, may_serve
from orchestrator.tracker.postgres.database import Connection, Database, NoTables
from orchestrator.tracker.postgres.serving.group_rows import (
    BEAT,
    Taker,
    WantedGroup,
    leave,
    servers,
    take,
    want,
    wanted,
)

BJ, SH = "bj-*,sh-1", "sh-*"
B, C = Taker("prod", "bj-1", "b"), Taker("prod", "bj-2", "c")


@pytest.fixture
def lead(database: Database) -> int:
    return dead(database)


def seen(database: Database, lead: int) -> dict[str, WantedGroup]:
    return {row.group: row for row in wanted(database, "prod", lead, patience_s=0.0)}


def taken(database: Database, taker: Taker, lead: int, group: str = BJ) -> int:
    take(database, taker, lead, seen(database, lead)[group], patience_s=0.0)
    return seen(database, lead)[group].epoch


def told(database: Database) -> dict[str, str]:
    return {each.group: each.host for each in servers(database, "prod")}


def replaced(database: Database) -> int:
    rows = database.rows("update orchestrator.fleet set epoch = epoch + 1 where fleet = 'prod' returning epoch")
    return int(rows[0][0])


def test_a_group_is_what_the_same_hosts_serve_in_whatever_order_they_are_named() -> None:
    one, other = Scope(name="a", hosts=("sh-1", "bj-*")), Scope(name="b", hosts=("bj-*", "sh-1"))
    assert {group_of(one), group_of(other)} == {"bj-*,sh-1"}
    assert [host for host in ("bj-7", "sh-1", "sh-12", "BJ-1") if may_serve(host, group_of(one))] == ["bj-7", "sh-1"]
    assert group_of(Scope(name="c")) == ""


def test_a_group_that_is_wanted_is_free_until_it_is_taken_and_after_it_was_left(database: Database, lead: int) -> None:
    want(database, "prod", lead, [SH, BJ])
    assert [row.token for row in seen(database, lead).values()] == [None, None]
    assert told(database) == {}
    first = taken(database, B, lead)
    assert told(database) == {BJ: "bj-1"}
    leave(database, B)
    assert told(database) == {}
    assert taken(database, C, lead) == first + 1


def test_of_two_who_take_a_group_at_once_one_gets_it(database: Database, lead: int) -> None:
    want(database, "prod", lead, [BJ])
    free = seen(database, lead)[BJ]
    for taker in (B, C):
        take(database, taker, lead, free, patience_s=0.0)
    assert told(database) == {BJ: "bj-1"}
    assert seen(database, lead)[BJ].epoch == free.epoch + 1


def test_a_silent_server_is_replaced_by_one_of_two_and_one_that_came_back_is_not(database: Database, lead: int) -> None:
    want(database, "prod", lead, [BJ])
    taken(database, Taker("prod", "bj-9", "gone"), lead)
    silent = seen(database, lead)[BJ]
    for taker in (B, C):
        take(database, taker, lead, silent, patience_s=0.0)
    assert told(database) == {BJ: "bj-1"}


def test_whom_the_holder_of_before_has_asked_counts_for_nothing(database: Database, lead: int) -> None:
    want(database, "prod", lead, [BJ])
    epoch = taken(database, B, lead)
    now = replaced(database)
    assert (told(database), seen(database, now)) == ({}, {})
    want(database, "prod", now, [BJ])
    assert seen(database, now)[BJ][1:3] == (epoch + 1, None)
    want(database, "prod", lead, [BJ, SH])
    assert [*seen(database, now)] == [BJ], "who was replaced wants nothing any more"
    assert seen(database, lead) == {}


def test_what_is_wanted_again_goes_on_and_what_is_wanted_no_more_does_not(database: Database, lead: int) -> None:
    want(database, "prod", lead, [BJ, SH])
    epoch = taken(database, B, lead)
    want(database, "prod", lead, [BJ])
    assert seen(database, lead)[BJ][1:3] == (epoch, "b")
    assert [*seen(database, lead)] == [BJ]
    want(database, "prod", lead, [])
    assert (seen(database, lead), told(database)) == ({}, {})


def test_a_server_that_has_been_silent_is_told_of_no_more(database: Database, lead: int) -> None:
    want(database, "prod", lead, [BJ])
    taken(database, B, lead)
    database.rows("update orchestrator.serving set at = clock_timestamp() - interval '11 s'")
    assert told(database) == {}
    database.rows(BEAT, **B._asdict())
    assert told(database) == {BJ: "bj-1"}


def test_when_the_one_that_works_has_left_nobody_serves(database: Database, lead: int) -> None:
    want(database, "prod", lead, [BJ])
    taken(database, B, lead)
    database.rows("update orchestrator.fleet set holder = null, token = null")
    assert told(database) == {}


def test_who_takes_a_group_waits_for_what_its_server_is_adding_and_a_beat_does_not(
    database: Database, lead: int
) -> None:
    want(database, "prod", lead, [BJ])
    taken(database, B, lead)
    locked, over = Event(), Event()

    def adds(connection: Connection) -> None:
        with connection.transaction():
            connection.execute("set local idle_in_transaction_session_timeout = 0")
            connection.execute("select 1 from orchestrator.serving for key share")
            locked.set()
            over.wait(30)

    adding = Thread(target=database.run, args=(adds,))
    adding.start()
    assert locked.wait(30)
    database.rows(BEAT, **B._asdict())
    taking = Thread(target=take, args=(database, C, lead, seen(database, lead)[BJ]), kwargs={"patience_s": 0.0})
    taking.start()
    while taking.is_alive() and not database.rows("select 1 from pg_locks where not granted"):
        pass
    assert told(database) == {BJ: "bj-1"}
    over.set()
    adding.join()
    taking.join()
    assert told(database) == {BJ: "bj-2"}


def test_tables_of_before_say_that_they_lack_it(database: Database, lead: int) -> None:
    database.rows("drop table orchestrator.serving")
    beat(database)
    with pytest.raises(NoTables):
        want(database, "prod", lead, [BJ])
