"""`status PLAN PROXY_ID` before the first run ends with the line that `status PLAN` ends with, for that proxy."""

import json
from pathlib import Path

import pytest
from fakes.e2e import sim_targets
from fakes.here import DeskHere
from fakes.memory_state import MemoryState
from fakes.recorded import BEGIN, NEW, OLD, make_plan, make_targets, run_started
from msgspec import structs

from orchestrator.app.status.one_proxy.before_first_run import proxy_before_first_run
from orchestrator.model.plan.plan import Discover
from orchestrator.model.record import record as r

TARGETS = make_targets(2)
MINE = TARGETS[1].proxy_id
WRITTEN = make_plan(TARGETS, name="new")
DISCOVERED = structs.replace(make_plan([], name="new"), discover=(Discover(scope="default"),))


@pytest.fixture
def desk(tmp_path: Path) -> DeskHere:
    desk = DeskHere(tmp_path, targets=sim_targets(3))
    desk.write()
    return desk


def test_a_proxy_of_a_held_fleet_waits_for_the_person_that_the_fleet_waits_for(desk: DeskHere) -> None:
    desk.cli("hold", "PLAN", "--note", "incident 4711")
    proxy_id = desk.targets[0].proxy_id
    fleet, proxy = desk.cli("status", "PLAN"), desk.cli("status", "PLAN", proxy_id)
    assert (fleet.code, proxy.code) == (0, 0), proxy.stderr
    first, *_, last = proxy.stdout.splitlines()
    assert first.startswith(f"{proxy_id}: no run of fleet prod has begun yet")
    assert last == fleet.stdout.splitlines()[-1].replace("; 3 targets wait", "")
    assert "incident 4711" in last
    document = json.loads(desk.cli("status", "PLAN", proxy_id, "--format", "json").stdout)
    assert document["target_waits_for"] == document["waits_for"]
    assert document["target_waits_for"]["cause"] == "hold"


def test_a_proxy_that_the_plan_does_not_have_is_no_target(desk: DeskHere) -> None:
    desk.cli("hold", "PLAN", "--note", "wait")
    for options in ((), ("--format", "json")):
        ended = desk.cli("status", "PLAN", f"{999:032x}po01", *options)
        assert ended.code == 2
        assert f"is no target of {desk.plan}" in ended.stderr


def test_of_a_fleet_of_which_nothing_is_known_there_is_no_trace(desk: DeskHere) -> None:
    ended = desk.cli("status", "PLAN", desk.targets[0].proxy_id)
    assert (ended.code, "there is no trace of any run" in ended.stderr) == (2, True)


def test_another_fleet_that_bars_the_start_is_named() -> None:
    state = MemoryState()
    run = state.fleet("old", writes=True).begin(make_plan(TARGETS, name="old"), TARGETS, run_started(2))
    opened = r.Intent(
        at=BEGIN, target=TARGETS[0].proxy_id, attempt=1, wave="rest", token="t", source_version=OLD, target_version=NEW
    )
    run.resume(2).append([opened])
    *_, written = proxy_before_first_run(state.fleet("new", writes=True), WRITTEN, MINE[:35], BEGIN, "new.yaml")
    assert written.startswith(f"waits for: another fleet: proxy {TARGETS[0].proxy_id} is open in run")
    *_, unknown, found = proxy_before_first_run(state.fleet("new", writes=True), DISCOVERED, MINE, BEGIN, "new.yaml")
    assert unknown == "it is not written out in the plan; a start looks for others in the cloud"
    assert "fleet old" in found
