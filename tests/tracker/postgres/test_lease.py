"""The lock among hosts, with clocks of the tests' own: silence counts only for who has watched all of it."""

from contextlib import closing
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from fakes.standing_by import Waits, beat, dead

from orchestrator.errors import FleetLocked, StateError
from orchestrator.tracker.postgres.database import Database
from orchestrator.tracker.postgres.lease import _take, holding, look
from orchestrator.tracker.postgres.serving.standby import standbys
from orchestrator.tracker.postgres.serving.watched_silence import DEAD_S, LOOK_S
from orchestrator.tracker.served_groups import IDLE, StandBy

if TYPE_CHECKING:
    from fakes.postgres_server import Server


def test_the_lock_is_held_shown_and_left(database: Database) -> None:
    with holding(database, Waits().candidate("a"), stands_by=None) as epoch:
        held = look(database, "prod")
        assert held is not None
        assert (held.words, held.epoch, held.lives) == ("process of a, since 0 s", epoch, True)
    left = look(database, "prod")
    assert left is not None
    assert not left.lives
    with holding(database, Waits().candidate("b"), stands_by=None) as later:
        assert later == epoch + 1


def test_one_that_lives_is_named_at_once(database: Database) -> None:
    with (
        holding(database, Waits().candidate("a"), stands_by=None),
        pytest.raises(FleetLocked, match="process of a"),
        holding(database, Waits().candidate("b"), stands_by=None),
    ):
        pass


@pytest.mark.parametrize("stands_by", [IDLE, None])
def test_one_that_died_is_replaced_after_its_silence(database: Database, stands_by: StandBy | None) -> None:
    epoch, waits = dead(database), Waits()
    with holding(database, waits.candidate("b"), stands_by=stands_by) as mine:
        assert mine == epoch + 1
        held = look(database, "prod")
        assert held is not None
        assert held.words == f"process of b, since {waits.now_s:g} s", "not since it stands by"
    assert DEAD_S <= waits.now_s <= DEAD_S + 2 * LOOK_S


def test_one_that_shows_itself_meanwhile_is_not_replaced(database: Database) -> None:
    dead(database)
    waits = Waits(lambda step: beat(database) if step == 10 else None)
    with pytest.raises(FleetLocked, match="the dead"), holding(database, waits.candidate("b"), stands_by=None):
        pass
    assert waits.step == 10


def test_who_stands_by_waits_for_the_end_of_the_session_and_begins_none(database: Database) -> None:
    dead(database)

    def lives(step: int) -> None:
        if step < 30:
            beat(database)
        elif step == 30:
            database.rows("update orchestrator.fleet set holder = null, token = null")

    waits = Waits(lives)
    with pytest.raises(FleetLocked, match="the dead"), holding(database, waits.candidate("b"), stands_by=IDLE):
        pass
    assert waits.step == 30


def test_who_stands_by_shows_itself_for_as_long_as_it_does(database: Database) -> None:
    dead(database)
    shown: list[list[str]] = []

    def lives(step: int) -> None:
        shown.append([each.host for each in standbys(database, "prod")])
        beat(database)
        if step == 3:
            database.rows("update orchestrator.fleet set holder = null, token = null")

    with (
        pytest.raises(FleetLocked),
        holding(database, Waits(lives).candidate("b"), stands_by=IDLE),
    ):
        pass
    assert shown == [["host-b"]] * 3
    assert standbys(database, "prod") == []


def test_who_is_interrupted_while_the_database_is_away_does_not_wait_for_it(database: Database) -> None:
    dead(database)

    def goes(step: int) -> None:
        if step == 2:
            database.away = True
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), holding(database, Waits(goes).candidate("b"), stands_by=IDLE):
        pass
    assert database.away, "nothing was asked of it any more"


def test_tables_of_before_there_were_standbys_serve_as_well(database: Database) -> None:
    database.rows("drop table orchestrator.standby")
    epoch, waits = dead(database), Waits()
    with holding(database, waits.candidate("b"), stands_by=IDLE) as mine:
        assert (mine, standbys(database, "prod")) == (epoch + 1, [])


def test_a_silence_that_nobody_has_watched_replaces_nobody(database: Database) -> None:
    """As after an outage of the database, or when the one who watches has stood still himself."""
    dead(database)

    def away(step: int) -> None:
        if step == 10:
            waits.now_s += 3600
        elif step == 12:
            beat(database)

    waits = Waits(away)
    with pytest.raises(FleetLocked, match="the dead"), holding(database, waits.candidate("b"), stands_by=None):
        pass


def test_of_two_who_want_a_dead_ones_place_one_gets_it(database: Database) -> None:
    dead(database)
    got: list[int] = []

    def other(step: int) -> None:
        if step == round(DEAD_S / LOOK_S):
            database.rows("update orchestrator.fleet set epoch = epoch + 1, holder = 'the other', token = 'o'")
            beat(database)
            got.append(1)

    with (
        pytest.raises(FleetLocked, match="the other"),
        holding(database, Waits(other).candidate("b"), stands_by=None),
    ):
        pass
    assert got == [1]


def test_who_looked_before_another_took_the_place_takes_it_no_more(database: Database) -> None:
    epoch = dead(database)
    for name in ("a", "b"):
        _take(database, Waits().candidate(name), epoch, silent=True)
    held = look(database, "prod")
    assert held is not None
    assert (held.token, held.epoch) == ("a", epoch + 1)


def test_without_tables_the_message_says_how_to_make_them(postgres: "Server") -> None:
    address = postgres.new_database()
    with (
        closing(Database(address, monotonic=lambda: 0.0)) as bare,
        pytest.raises(StateError, match="no tables") as raised,
    ):
        look(bare, "prod")
    assert "orchestrator state init" in (raised.value.hint or "")


def test_a_database_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    clock = Waits()
    address = f"postgresql://me:secret@/db?host={tmp_path}"
    gone = Database(address, monotonic=clock.monotonic, pause=clock.pause)
    with pytest.raises(StateError, match="is not reached") as raised:
        look(gone, "prod", patience_s=1.0)
    assert "secret" not in f"{raised.value} {raised.value.hint}"
    assert clock.now_s == 0.0, "one that was never reached is not tried again"


def test_threads_that_come_and_go_leave_no_connections(database: Database) -> None:
    for _ in range(20):
        thread = Thread(target=database.rows, args=("select 1",))
        thread.start()
        thread.join()
    assert len(database._free) == 1
