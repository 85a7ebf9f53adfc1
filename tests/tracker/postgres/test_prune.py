"""What of old runs may go, and what stays however old it is."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.databases import state_in
from fakes.recorded import BEGIN, make_plan, make_targets, run_started

from orchestrator.model.plan.target import Target
from orchestrator.model.record import record as r

if TYPE_CHECKING:
    from fakes.postgres_server import Server

    from orchestrator.tracker.postgres.database_state import DatabaseState

A, B, C = make_targets(3)
LATER = BEGIN + timedelta(days=1)


@pytest.fixture
def state(postgres: "Server", tmp_path: Path) -> "Iterator[DatabaseState]":
    found = state_in(postgres.new_database(), tmp_path)
    with closing(found.seat.database):
        yield found


def begin(
    state: "DatabaseState", run_id: str, *targets: Target, version: str = "2.24.03.000", ended: bool = True
) -> None:
    fleet = state.fleet("prod")
    plan = make_plan([*targets], target_version=version)
    with fleet.lock(BEGIN):
        run = fleet.begin(plan, targets, run_started(len(targets), run_id=run_id))
        if ended:
            with closing(run.resume(2)) as log:
                log.append([r.RunEnded(at=BEGIN)])


def left(state: "DatabaseState") -> list[str]:
    return [run.run_id for run in state.fleet("prod").runs()]


def test_what_a_later_run_says_as_well_goes_and_the_latest_stays(state: "DatabaseState") -> None:
    begin(state, "1", A, B)
    begin(state, "2", A, B)
    assert state.prune(BEGIN) == [], "it ended no earlier"
    assert state.prune(LATER) == [("prod", "1")]
    assert left(state) == ["2"]
    assert state.prune(LATER) == []


def test_the_last_word_on_a_target_and_a_version_stays(state: "DatabaseState") -> None:
    begin(state, "1", A, B, C)
    begin(state, "2", A)
    begin(state, "3", A, B, C, version="2.25.01.000")
    begin(state, "4", A)
    assert state.prune(LATER) == [("prod", "2")]
    assert left(state) == ["1", "3", "4"]


def test_what_has_not_ended_stays(state: "DatabaseState") -> None:
    begin(state, "1", A, ended=False)
    begin(state, "2", A)
    assert state.prune(LATER) == []


def test_runs_that_follow_each_other_go_together(state: "DatabaseState") -> None:
    for number in "1234":
        begin(state, number, A)
    assert [run_id for _, run_id in state.prune(LATER)] == ["1", "2", "3"]
