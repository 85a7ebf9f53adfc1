"""What `status` says of a fleet before its first run, when another fleet of the same state folder is at work."""

from pathlib import Path

import pytest
from fakes.memory_state import MemoryState
from fakes.recorded import BEGIN, NEW, OLD, make_plan, make_targets, run_started
from msgspec import structs

from orchestrator.app.status.ahead import look_ahead
from orchestrator.app.status.what_next.last_line import fleet_line
from orchestrator.executor.decide.waits import Cause
from orchestrator.model.plan.plan import Discover, Plan
from orchestrator.model.record import record as r

TARGETS = make_targets(2)
WRITTEN = make_plan(TARGETS, name="new")
DISCOVERED = structs.replace(make_plan([], name="new"), discover=(Discover(scope="default"),))


def elsewhere(project_id: str) -> Plan:
    other = structs.replace(DISCOVERED.scopes[0], project_id=project_id)
    return structs.replace(DISCOVERED, scopes=(other,))


def inventory(folder: Path) -> Plan:
    rows = "instance_id,proxy_id\n" + "".join(f"{each.instance_id},{each.proxy_id}\n" for each in TARGETS)
    (folder / "rows.csv").write_text(rows, encoding="utf-8")
    return structs.replace(make_plan([], name="new"), inventory=(str(folder / "rows.csv"),))


@pytest.fixture
def state() -> MemoryState:
    """A state folder in which fleet `old` has its first proxy open."""
    made = MemoryState()
    run = made.fleet("old", writes=True).begin(make_plan(TARGETS, name="old"), TARGETS, run_started(2))
    sent = r.Intent(
        at=BEGIN, target=TARGETS[0].proxy_id, attempt=1, wave="rest", token="t", source_version=OLD, target_version=NEW
    )
    run.resume(2).append([sent])
    return made


def ahead(state: MemoryState, plan: Plan) -> tuple[Cause, str]:
    _, seen = look_ahead(state.fleet("new", writes=True), plan, BEGIN)
    return seen.fleet().cause, fleet_line(seen, "new.yaml")


def test_a_proxy_that_is_written_out_and_open_elsewhere_is_named(state: MemoryState, tmp_path: Path) -> None:
    for plan in (WRITTEN, inventory(tmp_path)):
        cause, line = ahead(state, plan)
        assert cause is Cause.ELSEWHERE, line
        assert f"proxy {TARGETS[0].proxy_id} is open in run" in line
        assert "2 targets wait" in line


def test_what_discovery_may_find_open_elsewhere_is_not_said_to_be_free(state: MemoryState) -> None:
    cause, line = ahead(state, DISCOVERED)
    assert (cause, "fleet old" in line) == (Cause.UNSEEN, True), line
    assert "do: see in orchestrator plan new.yaml whether it does" in line


def test_a_plan_that_may_be_a_held_fleets_file_learns_that_it_will_be_refused(tmp_path: Path) -> None:
    state = MemoryState()
    old = state.fleet("old", writes=True)
    old.claim(tmp_path / "gone.yaml")
    hold = r.HoldSet(at=BEGIN, cause="person", reason="wait", by="ann", note="wait")
    old.begin(make_plan(TARGETS, name="old"), TARGETS, run_started(2)).resume(2).append([hold])
    cause, line = ahead(state, WRITTEN)
    assert cause is Cause.ELSEWHERE
    assert "gone.yaml is gone; it is held: wait; if this plan is that file, moved or renamed: write `name: old`" in line


def test_another_project_stands_in_nobodys_way(state: MemoryState) -> None:
    assert ahead(state, elsewhere("another-project"))[0] is Cause.TURN
    assert ahead(MemoryState(), DISCOVERED)[0] is Cause.TURN


def test_an_inventory_that_cannot_be_read_hides_nothing_else(state: MemoryState, tmp_path: Path) -> None:
    plan = structs.replace(WRITTEN, inventory=(str(tmp_path / "gone.csv"),))
    assert ahead(state, plan)[0] is Cause.ELSEWHERE
