"""What a host that is far from the database waits for: an append is one way there and back, whatever it adds."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.databases import state_in
from fakes.far_database import FarDatabase, far_from
from fakes.logged import A, B, answer, begun, intent, missing
from fakes.recorded import BEGIN

from orchestrator.model.record.record import Record
from orchestrator.tracker.postgres.database_state import DatabaseState

if TYPE_CHECKING:
    from fakes.postgres_server import Server


@pytest.fixture
def far(postgres: "Server") -> Iterator[FarDatabase]:
    with far_from(postgres, one_way_s=0.02) as found:
        yield found


@pytest.fixture
def state(postgres: "Server", far: FarDatabase, tmp_path: Path) -> Iterator[DatabaseState]:
    found = state_in(far.address(postgres.new_database()), tmp_path)
    with closing(found.seat.database):
        yield found


@contextmanager
def round_trips(far: FarDatabase, most: int) -> Iterator[None]:
    before = far.round_trips
    yield
    assert far.round_trips - before == most


def test_an_append_is_one_round_trip(state: DatabaseState, far: FarDatabase) -> None:
    run = begun(state)
    with state.fleet("prod").lock(BEGIN):
        log = run.resume(2)
        log.append([missing(B)])  # the connection is there
        groups: list[list[Record]] = [[intent(A)], [answer(A)], [missing(B), intent(B), missing(A)]]
        for group in groups:
            with round_trips(far, 1):
                log.append(group)
