"""Processes that share a database: one works, the others stand by, and what one leaves the next one takes up."""

import signal
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from fakes.e2e import IMPATIENT, NewCloud, expect_truth
from fakes.hosts_desk import HostsDesk

from orchestrator.app.process.die_at_point import VARIABLE
from orchestrator.executor.crash_points import Point
from orchestrator.simulator.profile import Latency, ScriptedFault

if TYPE_CHECKING:
    from fakes.postgres_server import Server

HELD, LOCKED, MORE_TO_DO = 3, 4, 5


@pytest.fixture
def desk_kind() -> type[HostsDesk]:
    return HostsDesk


@pytest.fixture
def new_desk(new_cloud: NewCloud, postgres: "Server") -> Callable[..., HostsDesk]:
    def make(*faults: ScriptedFault, count: int = 6, **profile: Any) -> HostsDesk:
        desk = new_cloud(count, faults=faults, **profile)
        assert isinstance(desk, HostsDesk)
        desk.share(postgres)
        desk.write(**IMPATIENT)
        return desk

    return make


@pytest.fixture
def own_server() -> "Iterator[Server]":
    """One that may be stopped."""
    from fakes.postgres_server import new_server  # noqa: PLC0415  # an extra's library

    server = new_server()
    server.start()
    try:
        yield server
    finally:
        server.remove()


def expect_all_upgraded_once(desk: HostsDesk) -> None:
    desk.export()
    expect_truth(desk)
    assert set(desk.outcomes().values()) == {"succeeded"}
    assert set(desk.effective_starts().values()) == {1}


@pytest.mark.slow
def test_one_works_the_others_stand_by_and_end_with_4(new_desk: Callable[..., HostsDesk]) -> None:
    desk = new_desk()
    hosts = [desk.host(f"h{number}") for number in range(3)]
    ended = sorted(host.end().code for host in hosts)
    assert ended == [0, LOCKED, LOCKED]
    expect_all_upgraded_once(desk)
    assert desk.report["run"]["sessions"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("point", [Point.INTENT_WRITTEN, Point.ANSWER_RECEIVED, Point.JOB_READ])
def test_when_the_one_that_works_is_killed_the_next_goes_on(new_desk: Callable[..., HostsDesk], point: Point) -> None:
    desk = new_desk(ScriptedFault(call="upgrade", fault="lost_answer", nth=2))
    first = desk.host("h1", environ={VARIABLE: f"{point}:3"})
    desk.until_in_log("session_started")
    second = desk.host("h2")
    assert first.end().code == -signal.SIGKILL
    ended = second.end()
    assert ended.code == 0, ended.stderr
    expect_all_upgraded_once(desk)
    assert desk.report["run"]["sessions"] == 2


@pytest.mark.slow
def test_one_that_is_told_to_stop_leaves_its_place_to_the_next(new_desk: Callable[..., HostsDesk]) -> None:
    desk = new_desk(count=8)
    desk.write(**IMPATIENT, limits={"in_flight": 2})
    first = desk.host("h1")
    desk.until_in_log("answer_seen", 2)
    second = desk.host("h2")
    desk.until_one_stands_by()
    first.signal(signal.SIGTERM)
    assert first.end().code == MORE_TO_DO
    ended = second.end()
    assert ended.code == 0, ended.stderr
    expect_all_upgraded_once(desk)
    assert desk.report["run"]["sessions"] == 2


@pytest.mark.slow
def test_one_that_was_frozen_is_replaced_and_says_so_when_it_wakes(new_desk: Callable[..., HostsDesk]) -> None:
    desk = new_desk(count=12)
    desk.write(**IMPATIENT, limits={"in_flight": 3})
    first = desk.host("h1")
    desk.until_in_log("answer_seen", 2)
    second = desk.host("h2")
    first.signal(signal.SIGSTOP)
    desk.until_in_log("session_started", 2)
    first.signal(signal.SIGCONT)
    woken = first.end()
    assert woken.code == LOCKED, woken.stderr
    assert "another host works on this fleet now" in woken.stderr
    assert second.end().code == 0
    expect_all_upgraded_once(desk)


@pytest.mark.slow
def test_an_answer_that_comes_to_one_who_was_replaced_is_kept_and_counts(new_desk: Callable[..., HostsDesk]) -> None:
    """It is frozen with calls under way, whose jobs are listed by then: nobody sends them again."""
    desk = new_desk(count=3, latency=Latency(median_s=400.0, sigma=0.0))
    desk.write(
        **{**IMPATIENT, "http": {"timeout": "20s"}}
    )  # it outlasts the silence after which another one takes over
    first = desk.host("h1")
    desk.until_in_log("intent", 3)
    second = desk.host("h2")
    first.signal(signal.SIGSTOP)
    desk.until_in_log("session_started", 2)
    first.signal(signal.SIGCONT)
    assert first.end().code == LOCKED
    assert second.end().code == 0
    expect_all_upgraded_once(desk)


@pytest.mark.slow
def test_an_outage_of_the_database_is_waited_for(new_desk: Callable[..., HostsDesk], own_server: "Server") -> None:
    desk = new_desk(count=12)
    desk.share(own_server)
    desk.write(**IMPATIENT, limits={"in_flight": 2})
    hosts = [desk.host("h1"), desk.host("h2")]
    desk.until_in_log("answer_seen", 3)
    desk.server.stop()
    time.sleep(2)
    desk.server.start()
    assert sorted(host.end().code for host in hosts) == [0, LOCKED]
    expect_all_upgraded_once(desk)
    assert desk.report["run"]["sessions"] == 1, "who was silent for an outage is not replaced"


@pytest.mark.slow
def test_a_person_holds_and_looks_from_any_host(new_desk: Callable[..., HostsDesk]) -> None:
    desk = new_desk(count=8)
    desk.write(**IMPATIENT, limits={"in_flight": 1})
    working = desk.host("h1")
    desk.until_in_log("answer_seen", 2)
    assert desk.cli("hold", "PLAN", "--note", "look", environ={"HOME": str(desk.folder / "elsewhere")}).code == 0
    assert working.end().code == HELD
    assert "held" in desk.cli("status", "PLAN").stdout
    assert desk.cli("release", "PLAN", "--note", "fine").code == 0
    assert desk.host("h2").end().code == 0
    expect_all_upgraded_once(desk)
