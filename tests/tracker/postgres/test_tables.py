"""What the tables must be, and what is said of those that are not."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.databases import state_in

if TYPE_CHECKING:
    from fakes.postgres_server import Server

    from orchestrator.tracker.postgres.database_state import DatabaseState


@pytest.fixture
def state(postgres: "Server", tmp_path: Path) -> "Iterator[DatabaseState]":
    found = state_in(postgres.new_database(), tmp_path)
    with closing(found.seat.database):
        yield found


def test_of_tables_that_are_all_there_nothing_is_said(state: "DatabaseState") -> None:
    assert state.remarks() == []


@pytest.mark.parametrize(
    "missing", ["table orchestrator.standby", "table orchestrator.rate_slot", "index orchestrator.one_intent"]
)
def test_what_an_older_version_did_not_make_is_said_with_its_remedy(state: "DatabaseState", missing: str) -> None:
    state.seat.database.rows(f"drop {missing}")
    (remark,) = state.remarks()
    assert f"these are missing: {missing.partition('.')[2]}" in remark
    assert f"orchestrator state init --state '{state}'" in remark
    state.make_tables()
    assert state.remarks() == []
