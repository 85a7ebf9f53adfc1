"""A rate that hosts share over a database: no second has more slots than it allows, also when one of them dies."""

import os
import subprocess
import sys
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fakes.databases import state_in

from orchestrator.executor.rate.shared_pacer import SharedPacer
from orchestrator.tracker.postgres.database import Database
from orchestrator.tracker.postgres.hosts_rate import HostsRate

if TYPE_CHECKING:
    from fakes.postgres_server import Server

RATE = 40.0


class Alone:
    """Where the processes of a host meet that has one alone."""

    def exchange(self, act: object) -> bool:
        raise AssertionError(act)

    def close(self) -> None:
        pass


class Host:
    """A process on a host of its own that takes every slot it gets."""

    def __init__(self, address: str, home: Path) -> None:
        home.mkdir()
        environ = {**os.environ, "TMPDIR": str(home), "PYTHONPATH": os.pathsep.join(sys.path)}
        words = [sys.executable, "-m", "fakes.rate_user", address, str(RATE)]
        self.process = subprocess.Popen(words, env=environ, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.lines = self.process.stdout
        self.slots: list[float] = []

    def take(self, count: int) -> None:
        """Read that many slots more."""
        self.slots += [float(next(self.lines)) for _ in range(count)]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        if not self.lines.closed:
            self.slots += [float(line) for line in self.lines if line.endswith("\n")]
            self.lines.close()


@pytest.fixture
def address(postgres: "Server", tmp_path: Path) -> str:
    found = postgres.new_database()
    with closing(state_in(found, tmp_path).seat.database):
        return found


@pytest.fixture
def hosts(address: str, tmp_path: Path) -> Iterator[list[Host]]:
    found = [Host(address, tmp_path / f"h{number}") for number in range(3)]
    yield found
    for host in found:
        host.kill()


def most_in_a_second(slots: list[float]) -> int:
    found = sorted(slots)
    return max(bisect_left(found, at + 1.0) - number for number, at in enumerate(found))


def test_no_second_has_more_slots_than_the_rate_allows_also_when_a_host_dies(hosts: list[Host]) -> None:
    for host in hosts:
        host.take(20)
    hosts[0].kill()
    for host in hosts[1:]:
        host.take(40)
    for host in hosts:
        host.kill()
    # On a busy machine the first answers come so late that they say little of the database's clock.
    assert most_in_a_second([at for host in hosts for at in host.slots[20:]]) <= RATE
    assert min(len(host.slots) for host in hosts[1:]) >= 60, "each gets its part, and that of the dead one"


@pytest.fixture
def database(address: str) -> Iterator[Database]:
    with closing(Database(address, monotonic=lambda: 0.0)) as found:
        yield found


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.warned: list[str] = []

    def rate(self, database: Database) -> HostsRate:
        return HostsRate(Alone(), database.apart(), key="k", monotonic=lambda: self.now_s, warn=self.warned.append)


def reserved(place: HostsRate, rate: float | None = RATE) -> float:
    """After how long its first slot comes, once the database has answered."""
    place.due(0.0, rate)
    with place._changed:
        place._changed.wait_for(lambda: bool(place._slots) or place._apart, 20)
    return place.due(0.0, rate)


def test_the_slots_of_two_hosts_lie_apart_by_more_than_the_rate_asks_for(database: Database) -> None:
    one, other = Clock().rate(database), Clock().rate(database)
    with closing(one), closing(other):
        reserved(one, 0.1)
        assert reserved(other, 0.1) - one.due(0.0, 0.1) > 9.9
        (row,) = database.rows("select next_at - low_at from orchestrator.rate_slot")
        assert row[0] > 20.0


def test_the_lowest_rate_of_those_that_use_it_holds(database: Database) -> None:
    slow, fast = Clock().rate(database), Clock().rate(database)
    with closing(slow), closing(fast):
        reserved(slow, 0.1)
        assert reserved(fast, 1000.0) > 5, "its slot comes after that of the slow one"
        (low,) = database.rows("select low from orchestrator.rate_slot")
        assert low == (0.1,)


def test_a_slot_that_comes_too_late_is_lost(database: Database) -> None:
    clock = Clock()
    with closing(clock.rate(database)) as place:
        due_s = reserved(place, 1.0)
        assert place.due(due_s + 1.0, 1.0) == pytest.approx(0.01)
        assert place._lost == 1


class FarFrom(Database):
    """A database from which an answer takes its time, and whose clock shows that of the test: only these times pass."""

    def __init__(self, address: str, clock: Clock, one_way_s: float) -> None:
        super().__init__(address, monotonic=lambda: 0.0)
        self._clock, self._one_way_s = clock, one_way_s
        self.answers = 0

    def once(self, work: Callable[[Any], Any]) -> Any:
        self._clock.now_s += self._one_way_s
        batch, at = super().once(work), self._clock.now_s
        self._clock.now_s += self._one_way_s
        self.answers += 1
        return batch._replace(next_at=at + batch.next_at - batch.now_at, now_at=at)


@pytest.mark.parametrize("one_way_s", [0.02, 0.1, 0.24])
def test_a_host_that_is_far_from_the_database_hears_of_its_slots_before_they_are_over(
    address: str, one_way_s: float
) -> None:
    """Also at a rate at which the next one is there at once. By the first answer it knows how long they take."""
    clock = Clock()
    far = FarFrom(address, clock, one_way_s)
    place = HostsRate(Alone(), far, key="k", monotonic=lambda: clock.now_s, warn=clock.warned.append)
    with closing(place):
        while far.answers < 2:
            place.due(clock.now_s, 1000.0)
            with place._changed:
                place._changed.wait_for(lambda: place._wanted is None, 20)
        assert one_way_s < place.due(clock.now_s, 1000.0) <= 2 * one_way_s


def test_a_rate_that_is_to_be_found_out_asks_nobody(database: Database) -> None:
    with closing(Clock().rate(database)) as place:
        assert place.due(0.0, None) == 0.0
    assert database.rows("select count(*) from orchestrator.rate_slot") == [(0,)]


def test_tables_of_before_leave_the_rate_to_each_host_and_say_so(database: Database) -> None:
    database.rows("drop table orchestrator.rate_slot")
    clock = Clock()
    with closing(clock.rate(database)) as place:
        assert reserved(place) == 0.0
    assert "keeps the rate for itself" in clock.warned[0]


def test_nothing_is_sent_while_the_database_is_away(tmp_path: Path) -> None:
    gone = Database(f"postgresql://nobody@/none?host={tmp_path}", monotonic=lambda: 0.0)
    clock = Clock()
    with closing(clock.rate(gone)) as place:
        pacer = SharedPacer(place, "me", RATE)
        assert all(pacer.claim(float(now), waited=True) > 0 for now in range(100))
    assert clock.warned == []
