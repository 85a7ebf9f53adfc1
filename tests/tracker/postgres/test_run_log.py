"""Two hosts at one log: who has been replaced adds nothing but answers, and who leads hears them before he sends."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from fakes.databases import state_in
from fakes.logged import A, B, answer, begun, intent, kept, missing
from fakes.recorded import BEGIN

from orchestrator.errors import JournalDamaged, StateError, TakenOver
from orchestrator.model.record import record as r
from orchestrator.tracker.postgres.database_state import DatabaseState
from orchestrator.tracker.postgres.run_log import RunLog

if TYPE_CHECKING:
    from fakes.postgres_server import Server


@pytest.fixture
def address(postgres: "Server") -> str:
    return postgres.new_database()


@pytest.fixture
def here(address: str, tmp_path: Path) -> Iterator[DatabaseState]:
    state = state_in(address, tmp_path / "here")
    with closing(state.seat.database):
        yield state


@pytest.fixture
def there(address: str, here: DatabaseState, tmp_path: Path) -> Iterator[DatabaseState]:
    del here  # its tables are there by now
    state = state_in(address, tmp_path / "there", host="there")
    with closing(state.seat.database):
        yield state


def log_of(state: DatabaseState, next_seq: int = 2) -> RunLog:
    (run,) = state.fleet("prod").runs()
    return run.resume(next_seq)


def taken_over(state: DatabaseState) -> None:
    """As if another host had been the holder since."""
    state.seat.database.rows("update orchestrator.fleet set epoch = epoch + 1 where fleet = 'prod'")


@pytest.fixture
def late(here: DatabaseState) -> RunLog:
    """The log of a host that sent A and was replaced before the answer came."""
    begun(here)
    log = log_of(here)
    log.append([intent(A)])
    taken_over(here)
    return log


def add_answer(late: RunLog) -> None:
    with pytest.raises(TakenOver):
        late.append([answer(A)])


def test_who_has_been_replaced_adds_nothing_but_what_the_cloud_answered(here: DatabaseState) -> None:
    begun(here)
    log = log_of(here)
    log.append([intent(A), intent(B)])
    taken_over(here)
    with pytest.raises(TakenOver, match="another host works on this fleet now"):
        log.append([missing(B), answer(A)])
    assert kept(here) == [intent(A), intent(B), answer(A)]
    with pytest.raises(TakenOver):
        log.append([answer(B)])
    with pytest.raises(TakenOver):
        log.append([intent(A, 2)])
    assert kept(here) == [intent(A), intent(B), answer(A), answer(B)]


def test_who_leads_hears_a_late_answer_with_the_next_append(late: RunLog, there: DatabaseState) -> None:
    leads = log_of(there, 3)
    add_answer(late)
    assert leads.append([missing(A)]).others == [answer(A)]
    assert leads.append([missing(A)]).others == []
    assert kept(there) == [intent(A), answer(A), missing(A), missing(A)]


def test_who_leads_hears_a_late_answer_while_there_is_nothing_to_add(late: RunLog, there: DatabaseState) -> None:
    leads = log_of(there, 3)
    add_answer(late)
    assert leads.news() == [answer(A)]
    assert leads.news() == []
    leads.expect_whole()


def test_an_intent_is_not_added_by_who_has_not_heard_all_of_its_target(late: RunLog, there: DatabaseState) -> None:
    leads = log_of(there, 3)
    leads.append([intent(B), r.AttemptDisproved(at=BEGIN, target=A, attempt=1, evidence="no job")])
    add_answer(late)
    assert leads.append([missing(B), intent(A, 2)]) == ([answer(A)], True)
    assert intent(A, 2) not in kept(there)
    assert missing(B) in kept(there)


def test_an_intent_of_another_target_is_added_beside_late_answers(late: RunLog, there: DatabaseState) -> None:
    leads = log_of(there, 3)
    add_answer(late)
    assert leads.append([intent(B)]) == ([answer(A)], False)


def test_no_attempt_has_two_intents(here: DatabaseState) -> None:
    begun(here)
    log = log_of(here)
    log.append([intent(A)])
    with pytest.raises(StateError, match="one_intent"):
        log.append([intent(A)])
    assert kept(here) == [intent(A)]


def test_who_learns_that_he_was_replaced_while_idle_says_so(here: DatabaseState) -> None:
    begun(here)
    log = log_of(here)
    taken_over(here)
    with pytest.raises(TakenOver):
        log.news()


def test_a_log_that_others_have_added_to_since_it_was_read_is_taken_up_if_they_are_answers(
    late: RunLog, there: DatabaseState
) -> None:
    add_answer(late)
    assert log_of(there, 3).append([missing(A)]).others == [answer(A)]
    with pytest.raises(JournalDamaged, match="was the last one when it was read"):
        log_of(there, 2)


def test_what_was_committed_as_the_connection_broke_is_not_added_twice(
    here: DatabaseState, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(here)
    log = log_of(here)
    log.append([intent(A)])
    breaks = iter([True])
    whole = log._transaction

    def breaking(values: dict[str, object], connection: psycopg.Connection[tuple[object, ...]]) -> object:
        outcome = whole(values, connection)
        if next(breaks, False):
            raise psycopg.OperationalError("the connection is lost")
        return outcome

    monkeypatch.setattr(log, "_transaction", breaking)
    log.append([answer(A)])
    log.append([missing(A)])
    assert kept(here) == [intent(A), answer(A), missing(A)]


def test_a_record_that_was_changed_or_is_missing_is_damage_with_its_place(here: DatabaseState) -> None:
    begun(here)
    log_of(here).append([intent(A), answer(A), missing(A)])
    rows = here.seat.database.rows
    rows("update orchestrator.journal set crc = crc + 1 where seq = 3")
    with pytest.raises(JournalDamaged, match="journal:3: the checksum does not match"):
        kept(here)
    rows("delete from orchestrator.journal where seq = 3")
    with pytest.raises(JournalDamaged, match="journal:3: the record is missing; the next one is 4"):
        kept(here)
