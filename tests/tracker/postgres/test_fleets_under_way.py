"""Which fleets of a database are under way: those that are held, and those that were just left to the next host."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.databases import state_in
from fakes.recorded import BEGIN, make_plan, make_targets, run_started

from orchestrator.model.record import record as r

if TYPE_CHECKING:
    from fakes.postgres_server import Server

    from orchestrator.tracker.postgres.database_state import DatabaseState

TARGETS = make_targets(2)
SOON = BEGIN + timedelta(minutes=5)
STARTED = r.SessionStarted(at=BEGIN, number=1, pid=1, host="h", orchestrator_version="0")


@pytest.fixture
def state(postgres: "Server", tmp_path: Path) -> "Iterator[DatabaseState]":
    found = state_in(postgres.new_database(), tmp_path)
    with closing(found.seat.database):
        yield found


def ended(code: int, *, stopped: bool) -> r.SessionEnded:
    return r.SessionEnded(at=BEGIN, exit_code=code, why="", stopped=stopped)


def write(state: "DatabaseState", *records: r.Record) -> None:
    fleet = state.fleet("prod")
    with fleet.lock(BEGIN):
        assert state.under_way(SOON) == ["prod"]
        run = fleet.begin(make_plan(TARGETS), TARGETS, run_started(2))
        with closing(run.resume(2)) as log:
            log.append(records)


def test_one_that_is_held_is_under_way_and_one_whose_session_is_over_is_not(state: "DatabaseState") -> None:
    write(state, STARTED, ended(5, stopped=False))
    assert state.under_way(SOON) == []


def test_one_whose_holder_died_is_under_way_until_another_comes(state: "DatabaseState") -> None:
    write(state, STARTED)
    assert state.under_way(SOON) == [], "it was let go of, after an error: that is for the next start"
    state.seat.database.rows("update orchestrator.fleet set holder = 'the dead'")
    assert state.under_way(SOON + timedelta(days=30)) == ["prod"]


@pytest.mark.parametrize(("code", "left"), [(5, True), (6, True), (3, False), (2, False), (8, False)])
def test_one_that_was_left_is_so_for_ten_minutes_unless_the_next_would_end_alike(
    state: "DatabaseState", code: int, *, left: bool
) -> None:
    late_answer = r.AnswerSeen(at=BEGIN, target=TARGETS[0].proxy_id, attempt=1, verdict="accepted")
    write(state, STARTED, ended(code, stopped=True), late_answer)
    assert state.under_way(SOON) == (["prod"] if left else [])
    assert state.under_way(SOON + timedelta(minutes=5)) == []


@pytest.mark.parametrize(("left_to", "left_by", "mine"), [("me", "a", True), ("me", "me", False), ("b*", "a", False)])
def test_what_was_left_to_other_hosts_concerns_those_whose_turn_it_is(
    state: "DatabaseState", left_to: str, left_by: str, *, mine: bool
) -> None:
    me = state.seat.host
    over = r.SessionEnded(
        at=BEGIN, exit_code=7, why="", left_to=(left_to.replace("me", me),), left_by=(left_by.replace("me", me),)
    )
    write(state, STARTED, over)
    assert state.under_way(SOON) == (["prod"] if mine else [])
    assert state.under_way(SOON + timedelta(minutes=5)) == []


def test_a_run_that_has_ended_is_not_under_way(state: "DatabaseState") -> None:
    write(state, STARTED, r.RunEnded(at=BEGIN), ended(0, stopped=True))
    assert state.under_way(SOON) == []
