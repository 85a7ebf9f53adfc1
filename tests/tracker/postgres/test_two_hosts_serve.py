"""Two hosts through the port, in threads with the real clock: one works, and the other serves what that one may not."""

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest
from fakes.databases import state_in
from fakes.logged import A, B, answer, begun, intent, kept, missing
from fakes.recorded import BEGIN

from orchestrator.errors import FleetLocked, StateError, TakenOver
from orchestrator.model.record.record import Record
from orchestrator.tracker.open_journal import OpenJournal
from orchestrator.tracker.postgres.database_state import DatabaseState
from orchestrator.tracker.postgres.serving.beside import looking
from orchestrator.tracker.served_groups import Post

if TYPE_CHECKING:
    from fakes.postgres_server import Server

LONG_S = 60.0


class ServesOne:
    """Joins the log of the only run, and says what it is asked to say."""

    def __init__(self, state: DatabaseState) -> None:
        self._state = state
        self.joined, self.over, self.left = Event(), Event(), Event()
        self.log: OpenJournal | None = None
        self.why: str | None = None

    def serves(self, group: str) -> bool:
        return bool(group)

    def serve(self, post: Post) -> None:
        (run,) = self._state.fleet("prod").runs()
        self.log = run.join(2, post)
        self.joined.set()
        while post.over() is None and not self.left.wait(0.05):
            pass
        self.why = post.over()

    def stand_by(self) -> None:
        try:
            with self._state.fleet("prod").lock(BEGIN, stands_by=self):
                pass
        except FleetLocked:
            self.over.set()

    def adds(self, *records: Record) -> list[Record]:
        assert self.log is not None
        return [*self.log.append(records).others]


@pytest.fixture
def address(postgres: "Server") -> str:
    return postgres.new_database()


@pytest.fixture
def bj(address: str, tmp_path: Path) -> Iterator[DatabaseState]:
    state = state_in(address, tmp_path / "bj", host="bj-1")
    with closing(state.seat.database):
        yield state


@pytest.fixture
def sh(address: str, bj: DatabaseState, tmp_path: Path) -> Iterator[DatabaseState]:
    del bj  # its tables are there by now
    state = state_in(address, tmp_path / "sh", host="sh-1")
    with closing(state.seat.database):
        yield state


def test_one_works_and_the_other_serves_over_the_same_log(bj: DatabaseState, sh: DatabaseState) -> None:
    run, fleet, other = begun(bj), bj.fleet("prod"), ServesOne(sh)
    with fleet.lock(BEGIN):
        leads = run.resume(2)
        fleet.want_served(["sh-*", "gz-*"])
        thread = Thread(target=other.stand_by)
        thread.start()
        assert other.joined.wait(LONG_S)
        assert fleet.servers() == {"sh-*": "sh-1"}
        (standby,) = fleet.standbys()
        assert (standby.host, standby.groups) == ("sh-1", ("sh-*",))
        other.adds(intent(A))
        assert leads.append([missing(B)]).others == [intent(A)]
    assert other.over.wait(LONG_S)
    thread.join()
    assert other.why == "the session of the host that works has come to its end"
    assert fleet.servers() == {}
    with fleet.lock(BEGIN), pytest.raises(TakenOver):
        other.adds(missing(B), answer(A))
    assert kept(bj) == [intent(A), missing(B), answer(A)]


def test_tables_of_before_have_nothing_served(bj: DatabaseState) -> None:
    fleet = bj.fleet("prod")
    bj.seat.database.rows("drop table orchestrator.serving")
    with fleet.lock(BEGIN):
        fleet.want_served(["sh-*"])
        assert fleet.servers() == {}
        begun(bj).resume(2).append([intent(A)])


def test_what_is_looked_at_beside_goes_on_after_a_failure_and_ends_with_the_block() -> None:
    looks, twice = list[int](), Event()

    def look() -> None:
        looks.append(1)
        if len(looks) == 1:
            raise StateError("away")
        twice.set()

    with looking(look):
        assert twice.wait(LONG_S)
    assert not [thread for thread in threading.enumerate() if thread.name == "looks at the others"]
