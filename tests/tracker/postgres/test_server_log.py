"""The log as a host that serves adds to it: with the leave of the one that works, and only while its groups are its."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from fakes.databases import state_in
from fakes.logged import A, B, answer, begun, intent, kept, missing

from orchestrator.errors import TakenOver
from orchestrator.tracker.postgres.database_run import DatabaseRun
from orchestrator.tracker.postgres.database_state import DatabaseState
from orchestrator.tracker.postgres.run_log import RunLog
from orchestrator.tracker.postgres.serving.group_rows import Taker, take, want, wanted
from orchestrator.tracker.postgres.serving.served_post import ServedPost

if TYPE_CHECKING:
    from fakes.postgres_server import Server

BJ, SH = "bj-*", "sh-*"
LEAD = 7
US, THEM = Taker("prod", "there", "us"), Taker("prod", "elsewhere", "them")


@pytest.fixture
def here(postgres: "Server", tmp_path: Path) -> Iterator[DatabaseState]:
    """The state as the host sees it that works on the fleet."""
    state = state_in(postgres.new_database(), tmp_path / "here")
    with closing(state.seat.database):
        state.seat.database.rows("insert into orchestrator.fleet (fleet, epoch, holder) values ('prod', 7, 'here')")
        want(state.seat.database, "prod", LEAD, [BJ, SH])
        yield state


@pytest.fixture
def run(here: DatabaseState) -> DatabaseRun:
    return begun(here)


def taken(state: DatabaseState, taker: Taker) -> ServedPost:
    database = state.seat.database
    for row in wanted(database, "prod", LEAD, patience_s=0.0):
        take(database, taker, LEAD, row, patience_s=0.0)
    rows = wanted(database, "prod", LEAD, patience_s=0.0)
    return ServedPost(LEAD, {row.group: row.epoch for row in rows})


@pytest.fixture
def served(here: DatabaseState, run: DatabaseRun) -> RunLog:
    """The log of a host that serves both groups."""
    return run.join(2, taken(here, US))


def one_group_is_taken(state: DatabaseState) -> None:
    rows = wanted(state.seat.database, "prod", LEAD, patience_s=0.0)
    take(state.seat.database, THEM, LEAD, rows[0], patience_s=0.0)


def holder_is_replaced(state: DatabaseState) -> None:
    state.seat.database.rows("update orchestrator.fleet set epoch = epoch + 1")


def wanted_no_more(state: DatabaseState) -> None:
    want(state.seat.database, "prod", LEAD, [SH])


def asked_by_the_next(state: DatabaseState) -> None:
    holder_is_replaced(state)
    want(state.seat.database, "prod", LEAD + 1, [BJ, SH])


def test_who_works_and_who_serves_add_to_one_log_and_hear_each_other(run: DatabaseRun, served: RunLog) -> None:
    leads = run.resume(2)
    assert served.append([intent(A)]).others == []
    assert leads.append([missing(B)]).others == [intent(A)]
    assert served.append([answer(A)]).others == [missing(B)]
    assert leads.news() == [answer(A)]
    leads.expect_whole()
    served.expect_whole()


def test_to_look_whether_it_is_whole_takes_no_news_away(run: DatabaseRun, served: RunLog) -> None:
    leads = run.resume(2)
    served.append([intent(A)])
    leads.expect_whole()
    assert leads.news() == [intent(A)]


def test_who_joins_hears_what_was_added_since_the_run_was_read(
    here: DatabaseState, run: DatabaseRun, served: RunLog
) -> None:
    served.append([intent(A), intent(B)])
    joined = run.join(3, taken(here, THEM))
    assert joined.news() == [intent(B)]


@pytest.mark.parametrize("replaced", [one_group_is_taken, holder_is_replaced, wanted_no_more, asked_by_the_next])
def test_a_server_that_was_replaced_adds_nothing_but_what_the_cloud_answered(
    here: DatabaseState, served: RunLog, replaced: Callable[[DatabaseState], None]
) -> None:
    served.append([intent(A), intent(B)])
    replaced(here)
    with pytest.raises(TakenOver, match=r"or serves bj-\* or sh-\*"):
        served.append([missing(B), answer(A)])
    assert kept(here) == [intent(A), intent(B), answer(A)]
    with pytest.raises(TakenOver):
        served.append([answer(B)])
    with pytest.raises(TakenOver):
        served.append([intent(A, 2)])
    assert kept(here) == [intent(A), intent(B), answer(A), answer(B)]


@pytest.mark.parametrize("replaced", [one_group_is_taken, holder_is_replaced])
def test_a_server_that_was_replaced_learns_it_while_idle(
    here: DatabaseState, served: RunLog, replaced: Callable[[DatabaseState], None]
) -> None:
    replaced(here)
    with pytest.raises(TakenOver):
        served.expect_whole()
    with pytest.raises(TakenOver):
        served.news()


def test_the_one_that_works_is_not_replaced_with_a_server(here: DatabaseState, run: DatabaseRun) -> None:
    leads = run.resume(2)
    one_group_is_taken(here)
    leads.append([missing(A)])
    assert kept(here) == [missing(A)]


@contextmanager
def lock_of_the_run(state: DatabaseState) -> Iterator[None]:
    """Another host is adding, and does not come to its end."""
    with closing(state.seat.database.apart()._connection()) as connection, connection.transaction():
        connection.execute("set local idle_in_transaction_session_timeout = 0")
        connection.execute("select 1 from orchestrator.run for no key update")
        yield


def test_who_takes_a_group_while_its_server_adds_comes_after_that(here: DatabaseState, served: RunLog) -> None:
    rows = here.seat.database.rows
    adding = Thread(target=served.append, args=([intent(A)],))
    taking = Thread(target=one_group_is_taken, args=(here,))
    with lock_of_the_run(here):
        for waits, thread in enumerate((adding, taking), 1):
            thread.start()
            while thread.is_alive() and len(rows("select 1 from pg_locks where not granted")) < waits:
                pass
        assert rows("select distinct host from orchestrator.serving") == [("there",)]
    adding.join()
    taking.join()
    assert kept(here) == [intent(A)]
    assert ("elsewhere",) in rows("select distinct host from orchestrator.serving")
