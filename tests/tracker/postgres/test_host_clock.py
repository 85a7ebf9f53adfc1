"""A host whose clock is too far from the database's takes part in nothing; what the question took is allowed for."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from fakes.clock import START
from fakes.databases import state_in
from fakes.host_clock import Told
from msgspec.structs import replace

from orchestrator.clock import SystemClock
from orchestrator.errors import StateError
from orchestrator.tracker.postgres.database import Database
from orchestrator.tracker.postgres.database_state import DatabaseState
from orchestrator.tracker.postgres.host_clock import clock_ahead, expect_clock
from orchestrator.tracker.postgres.lease import look

if TYPE_CHECKING:
    from fakes.postgres_server import Server


def asked(ahead_s: float, took_s: float) -> None:
    """Ask a database that reads its clock when that says least of ours: the question took so long."""
    asks, told = START, START + timedelta(seconds=took_s)
    read = told if ahead_s > 0 else asks
    answers = iter((asks, told))
    expect_clock(cast("Database", Told(read - timedelta(seconds=ahead_s))), lambda: next(answers))


@pytest.mark.parametrize("ahead_s", [0.0, 3.0, -3.0, 5.0, -5.0])
@pytest.mark.parametrize("took_s", [0.0, 0.5])
def test_a_clock_that_may_be_right_is_used(ahead_s: float, took_s: float) -> None:
    asked(ahead_s, took_s)


@pytest.mark.parametrize(
    ("ahead_s", "took_s", "words"),
    [
        (60.0, 0.0, "60 s ahead of the database's"),
        (-60.0, 0.0, "60 s behind the database's"),
        (60.0, 20.0, "40 s ahead of"),
        (-60.0, 20.0, "40 s behind"),
    ],
)
def test_one_that_is_certainly_wrong_is_told_by_what_is_certain(ahead_s: float, took_s: float, words: str) -> None:
    with pytest.raises(StateError, match=words) as refused:
        asked(ahead_s, took_s)
    assert "NTP" in (refused.value.hint or "")


@pytest.fixture
def state(postgres: "Server", tmp_path: Path) -> Iterator[DatabaseState]:
    found = state_in(postgres.new_database(), tmp_path)
    with closing(found.seat.database):
        yield found


def off(state: DatabaseState, by_s: Callable[[], float]) -> DatabaseState:
    """The same, of a host whose clock is off."""
    right = SystemClock().wall
    return replace(state, seat=replace(state.seat, wall=lambda: right() + timedelta(seconds=by_s())))


@pytest.mark.parametrize("by_s", [60.0, -60.0])
def test_its_host_takes_no_fleet_and_leaves_the_place_to_others(state: DatabaseState, by_s: float) -> None:
    wrong = off(state, lambda: by_s)
    with pytest.raises(StateError, match="the clock of this host"):
        wrong.expect_clock()
    with pytest.raises(StateError, match="the clock of this host"), wrong.fleet("prod").lock(START):
        pytest.fail("it took the fleet")
    with state.fleet("prod").lock(START):
        assert state.fleet("prod").holder() is not None


def test_one_that_went_wrong_while_it_stood_by_does_not_take_the_place_of_the_host_that_works(
    state: DatabaseState,
) -> None:
    readings = iter((0.0, 0.0))  # of the question when it comes; those that follow are of a clock that was set
    wrong = off(state, lambda: next(readings, 60.0))
    with pytest.raises(StateError, match="60 s ahead"), wrong.fleet("prod").lock(START):
        pytest.fail("it took the fleet")
    held = look(state.seat.database, "prod")
    assert held is not None
    assert (held.words, held.epoch) == (None, 0)


@pytest.mark.parametrize(
    ("off_s", "took_s", "found_s"),
    [
        (3.0, (0.0, 0.0, 0.0), 3.0),
        (-3.0, (0.0, 0.0, 0.0), -3.0),
        (3.0, (30.0, 0.2, 9.0), 2.8),
        (-3.0, (30.0, 0.2, 9.0), -3.0),
        (0.0, (30.0, 30.0, 30.0), 0.0),
        (3.0, (30.0, 30.0, 30.0), 0.0),
    ],
)
def test_a_clock_is_set_by_what_the_quickest_question_tells_for_certain(
    off_s: float, took_s: tuple[float, ...], found_s: float
) -> None:
    """The database reads its clock at the beginning of each: a process that stands still afterwards sees it late."""
    told = Told(START + timedelta(seconds=off_s))
    answers = iter([at for each_s in took_s for at in (START, START + timedelta(seconds=each_s))])
    assert clock_ahead(cast("Database", told), lambda: next(answers)) == timedelta(seconds=found_s)


def test_the_clock_of_a_session_shows_the_time_of_the_database(postgres: "Server", tmp_path: Path) -> None:
    with closing(state_in(postgres.new_database(), tmp_path).seat.database) as database:
        hour = timedelta(hours=1)
        found = clock_ahead(database, lambda: SystemClock().wall() - hour)
    assert abs(found - hour) < timedelta(minutes=10)
