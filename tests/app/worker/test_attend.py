"""A helper for each fleet that is under way, on a clock of the tests' own."""

from collections.abc import Callable

import pytest

from orchestrator.app.worker.attend import Attendance
from orchestrator.errors import StateError


class Process:
    """A helper that ends when the test says so."""

    def __init__(self) -> None:
        self.code: int | None = None
        self.stopped = False

    def poll(self) -> int | None:
        return self.code

    def terminate(self) -> None:
        self.stopped, self.code = True, 5


class World:
    """What is under way, by the second; None while the database is away."""

    def __init__(self, *under_way: set[str] | None) -> None:
        self.now_s = 0.0
        self.under_way = under_way
        self.started: list[tuple[float, str, Process]] = []
        self.happens: dict[int, Callable[[], object]] = {}
        self.told: list[str] = []

    def look(self) -> set[str]:
        found = self.under_way[min(int(self.now_s), len(self.under_way) - 1)]
        if found is None:
            raise StateError("away")
        return found

    def start(self, fleet: str) -> Process:
        self.started.append((self.now_s, fleet, Process()))
        return self.started[-1][2]

    def attend(self, *, once: bool = True, until_s: float = 3000.0) -> list[tuple[float, str]]:
        """When which helper was started."""

        def wait(seconds: float) -> bool:
            self.now_s += seconds
            if act := self.happens.pop(int(self.now_s), None):
                act()
            return self.now_s >= until_s

        Attendance(self.look, self.start, lambda: self.now_s, self.told.append).attend(wait, once=once)
        return [(at, fleet) for at, fleet, _ in self.started]

    def end(self, number: int, code: int) -> object:
        self.started[number][2].code = code
        return code


def test_each_fleet_gets_one_helper_for_as_long_as_it_lives() -> None:
    world = World({"a"}, {"a", "b"}, {"a", "b"}, set())
    world.happens[3] = lambda: [world.end(number, code) for number, code in ((0, 0), (1, 4))]
    assert world.attend() == [(0, "a"), (1, "b")]


def test_once_ends_at_once_when_nothing_is_under_way() -> None:
    assert World(set()).attend() == []


def test_one_that_was_killed_is_replaced_and_one_that_could_do_nothing_only_after_a_minute() -> None:
    world = World({"a"})
    world.happens = {2: lambda: world.end(0, -9), 5: lambda: world.end(1, 7)}
    assert world.attend(until_s=80) == [(0, "a"), (3, "a"), (65, "a")]


def test_a_stop_is_passed_on_and_the_helpers_are_waited_for() -> None:
    world = World({"a"})
    world.attend(once=False, until_s=4)
    assert world.started[0][2].stopped


def test_an_outage_of_the_database_ends_nothing_for_a_quarter_of_an_hour() -> None:
    world = World(set(), *[None] * 600, {"a"}, set())
    world.happens[603] = lambda: world.end(0, 0)
    assert world.attend(once=False, until_s=700) == [(601, "a")]
    assert not World(set(), None).attend(once=False, until_s=890)
    with pytest.raises(StateError):
        World(set(), None).attend(once=False)


def test_an_outage_is_told_once_and_so_is_its_end() -> None:
    world = World(set(), None, None, None, set(), None, set())
    world.attend(once=False, until_s=8)
    away, back = "away; it is waited for, and after 15 minutes this ends", "the database is reached again"
    assert world.told == [away, back, away, back]


def test_a_database_that_was_never_reached_is_told_at_once() -> None:
    with pytest.raises(StateError):
        World(None).attend(once=False)
