"""An intent that a record of another host has overtaken is not added; what was handed over with it is."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from fakes.databases import state_in
from fakes.every_record import every_record
from fakes.logged import A, B, answer, begun, intent, kept, missing
from fakes.recorded import BEGIN

from orchestrator.model.record import record as r
from orchestrator.tracker.journal.restricting import restricts
from orchestrator.tracker.postgres.database_state import DatabaseState
from orchestrator.tracker.postgres.run_log import RunLog

if TYPE_CHECKING:
    from fakes.postgres_server import Server

HOLD = r.HoldSet(at=BEGIN, cause="person", reason="wait")


@pytest.fixture
def state(postgres: "Server", tmp_path: Path) -> Iterator[DatabaseState]:
    found = state_in(postgres.new_database(), tmp_path)
    with closing(found.seat.database):
        begun(found)
        yield found


def log_of(state: DatabaseState) -> RunLog:
    """The log as one of the hosts that add to it has it open."""
    (run,) = state.fleet("prod").runs()
    return run.resume(2)


def test_the_statement_and_the_program_agree_about_every_record(state: DatabaseState) -> None:
    here, there = log_of(state), log_of(state)
    for attempt, record in enumerate(every_record(B), start=1):
        here.append([record])
        added = there.append([missing(B), intent(A, attempt)])
        assert (added.overtaken, len(added.others)) == (restricts(record), 1), record
        assert (intent(A, attempt) in kept(state)[-2:]) is not added.overtaken
        here.news()


def test_what_was_handed_over_with_an_overtaken_intent_keeps_its_order_and_its_workflows(state: DatabaseState) -> None:
    here, there = log_of(state), log_of(state)
    here.append([HOLD])
    assert there.append([intent(A), missing(B), intent(B), answer(B)]) == ([HOLD], True)
    assert kept(state) == [HOLD, missing(B), answer(B)]
    rows = state.seat.database.rows("select seq, workflow_id from orchestrator.workflow")
    assert rows == [(4, f"w-{B}")]
    assert there.append([intent(A)]) == ([], False)
    assert kept(state)[-1] == intent(A)


def test_intents_alone_that_were_overtaken_leave_nothing(state: DatabaseState) -> None:
    here, there = log_of(state), log_of(state)
    here.append([HOLD])
    assert there.append([intent(A)]) == ([HOLD], True)
    assert there.append([intent(A)]) == ([], False)
    assert here.news() == [intent(A)]


def test_no_record_restricts_what_is_no_intent(state: DatabaseState) -> None:
    here, there = log_of(state), log_of(state)
    here.append([HOLD])
    assert there.append([missing(A)]) == ([HOLD], False)


def test_an_append_without_its_overtaken_intents_is_known_again_when_its_confirmation_is_lost(
    state: DatabaseState, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = log_of(state), log_of(state)
    here.append([HOLD])
    breaks = iter([True])
    whole = there._transaction

    def breaking(values: dict[str, object], connection: psycopg.Connection[tuple[object, ...]]) -> object:
        outcome = whole(values, connection)
        if next(breaks, False):
            raise psycopg.OperationalError("the connection is lost")
        return outcome

    monkeypatch.setattr(there, "_transaction", breaking)
    assert there.append([missing(B), intent(A)]) == ([HOLD], True)
    assert kept(state) == [HOLD, missing(B)]
