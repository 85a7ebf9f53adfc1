"""Hosts with no plan file: they stand by for every fleet of a database, and go on where another host is gone."""

import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from fakes.e2e import IMPATIENT, NewCloud, expect_truth
from fakes.held_jobs import held
from fakes.hosts_desk import HostsDesk

from orchestrator.app.process.die_at_point import VARIABLE
from orchestrator.executor.crash_points import Point
from orchestrator.simulator.profile import ScriptedFault

if TYPE_CHECKING:
    from fakes.postgres_server import Server


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


@pytest.mark.slow
def test_workers_go_on_where_a_run_was_killed_and_where_one_of_them_was_told_to_stop(
    new_desk: Callable[..., HostsDesk],
) -> None:
    """By the plan that the run keeps: its file is gone by then."""
    desk = new_desk(count=6, fates=held())
    first = desk.host("h1", environ={VARIABLE: f"{Point.JOB_READ}:1"})
    desk.until_in_log("session_started")
    desk.plan.rename(desk.folder / "moved.yaml")
    second = desk.worker("h2")
    assert first.end().code == -signal.SIGKILL
    desk.until_in_log("session_started", 2)
    third = desk.worker("h3")
    desk.until_one_stands_by()
    second.signal(signal.SIGTERM)
    assert second.end().code == 0
    desk.until_in_log("session_started", 3)
    desk.end_jobs()
    ended = third.end()
    assert (ended.code, "Traceback" in ended.stderr) == (0, False), ended.stderr
    (desk.folder / "moved.yaml").rename(desk.plan)
    desk.export()
    report = expect_truth(desk)
    assert [(each["name"], each["lost"]) for each in report["run"]["hosts"]] == [
        ("h1", True),
        ("h2", False),
        ("h3", False),
    ]
    assert {attempt["host"] for target in report["targets"] for attempt in target["attempts"]} <= {"h1", "h2", "h3"}
    assert set(desk.outcomes().values()) == {"succeeded"}
