"""All fleets of a state folder, a line each."""

from contextlib import closing
from pathlib import Path

from fakes.e2e import sim_targets
from fakes.here import DeskHere
from fakes.memory_state import MemoryState
from fakes.recorded import BEGIN, NEW, RUN_ID, make_plan, make_targets, run_started
from msgspec import structs

from orchestrator.app.status.fleets import fleet_documents, fleet_rows
from orchestrator.errors import JournalDamaged, OrchestratorError
from orchestrator.model.plan.commands import HoldCommand
from orchestrator.model.record import record as r
from orchestrator.model.record.outcome import Outcome

TARGETS = make_targets(2)
A, _ = (target.proxy_id for target in TARGETS)
LATER = "20260302T220000000Z-abcdef"


def begun(state: MemoryState, name: str, *records: r.Record, run_id: str = RUN_ID) -> None:
    plan = structs.replace(make_plan(TARGETS), name=name)
    run = state.fleet(name, writes=True).begin(plan, TARGETS, run_started(2, run_id=run_id))
    with closing(run.resume(2)) as journal:
        journal.append(records)


def rows(state: MemoryState) -> tuple[list[str], dict[str, OrchestratorError]]:
    """The table, and what could not be read."""
    troubles: dict[str, OrchestratorError] = {}
    documents = fleet_documents(state, BEGIN, lambda plan, _: f"/p/{plan.name}.yaml", troubles.__setitem__)
    return list(fleet_rows(documents)), troubles


def test_each_fleet_has_a_line_by_its_latest_run() -> None:
    state = MemoryState()
    begun(state, "night", r.RunEnded(at=BEGIN))
    begun(state, "day", r.RunEnded(at=BEGIN))
    begun(state, "day", r.Settled(at=BEGIN, target=A, attempt=1, wave="rest", outcome=Outcome.SUCCEEDED), run_id=LATER)
    (head, day, night), troubles = rows(state)
    assert head.split()[:4] == ["FLEET", "VERSION", "STATE", "OUTCOMES"]
    assert day.split()[0] == "day"
    assert "unfinished" in day
    assert "1 succeeded, 1 waiting" in day
    assert "completed" in night
    assert "nothing: the run has ended" in night
    assert troubles == {}


def test_a_fleet_that_is_held_before_its_first_run_is_told_too(tmp_path: Path) -> None:
    state = MemoryState()
    begun(state, "night", r.RunEnded(at=BEGIN))
    desk = DeskHere(tmp_path, targets=sim_targets(1))
    desk.write()
    for name, path in (("prod", desk.plan), ("other", desk.plan), ("gone", tmp_path / "gone.yaml")):
        fleet = state.fleet(name, writes=True)
        fleet.claim(path)
        fleet.give(HoldCommand(at=BEGIN, user="ann", host="desk", note="incident 4711"))
    (_, night, prod), troubles = rows(state)
    assert night.startswith("night")
    assert prod.split()[:4] == ["prod", NEW, "no", "run"]
    assert prod.endswith("a person, to release the fleet: incident 4711 (held by ann@desk)")
    assert troubles == {}


def test_a_process_at_work_is_seen() -> None:
    state = MemoryState()
    begun(state, "day")
    with state.fleet("day").lock(BEGIN):
        (_, day), _ = rows(state)
    assert "unfinished, at work" in day


def test_a_fleet_that_cannot_be_read_hides_no_other() -> None:
    state = MemoryState()
    begun(state, "night")
    begun(state, "day")
    state.fleet("day").made[0].kept.clear()
    (_, night), troubles = rows(state)
    assert night.startswith("night")
    assert {name: type(error) for name, error in troubles.items()} == {"day": JournalDamaged}
