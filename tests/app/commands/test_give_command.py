"""What a person's command does where no process works on the fleet, and where one does."""

from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from fakes.memory_state import MemoryState
from fakes.recorded import BEGIN, NEW, OLD, make_plan, make_targets, run_started

from orchestrator.app.commands.give_command import claim, hold, release, settle
from orchestrator.app.status.fleet_status import find_run, standing, unread_commands
from orchestrator.errors import FleetLocked, PlanError, UsageError
from orchestrator.host import machine_name, user_name
from orchestrator.model.plan.commands import HoldCommand, ReleaseCommand
from orchestrator.model.plan.plan import Plan
from orchestrator.model.record import record as r
from orchestrator.model.record.outcome import Outcome

TARGETS = make_targets(2)
KEY, OTHER = (target.proxy_id for target in TARGETS)
LATER = BEGIN + timedelta(hours=1)
INTENT = r.Intent(at=BEGIN, target=KEY, attempt=1, wave="rest", token="t", source_version=OLD, target_version=NEW)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    path = tmp_path / "prod.yaml"
    path.touch()
    return make_plan(TARGETS, path=str(path))


@pytest.fixture
def state(plan: Plan) -> MemoryState:
    """A fleet with one open target, on which nobody works."""
    kept = MemoryState()
    with closing(kept.fleet("prod").begin(plan, TARGETS, run_started(2)).resume(2)) as journal:
        journal.append([INTENT])
    return kept


def test_hold_and_release_wait_for_the_process_that_works_on_the_run(plan: Plan, state: MemoryState) -> None:
    assert hold(plan, state, "wait", LATER) is None
    assert release(plan, state, None, "go", LATER) is None
    given = [command for _, command in unread_commands(find_run(state, plan))]
    assert [type(each) for each in given] == [HoldCommand, ReleaseCommand]
    assert find_run(state, plan).run.hold is None


def test_a_release_of_what_is_not_held_is_not_recorded(plan: Plan, state: MemoryState) -> None:
    assert release(plan, state, None, "go", LATER) == "fleet prod is not held: there is nothing to release"
    assert release(plan, state, "rest", "go", LATER) == "wave rest of fleet prod asks for no approval"
    assert unread_commands(find_run(state, plan)) == []


def test_a_second_release_is_not_recorded_before_and_after_the_first_is_carried_out(
    plan: Plan, state: MemoryState
) -> None:
    hold(plan, state, "wait", LATER)
    assert release(plan, state, None, "go", LATER) is None
    second = release(plan, state, None, "go on", LATER)
    assert second is not None
    assert second.startswith("fleet prod is already released, by ")
    assert second.endswith(": go")
    assert len(unread_commands(find_run(state, plan))) == 2
    assert settle(plan, state, KEY, "succeeded", "seen in the console", LATER)
    assert "is already released" in (release(plan, state, None, "go on", LATER) or "")
    assert unread_commands(find_run(state, plan)) == []


def test_a_wave_that_the_plan_does_not_have_is_not_released(plan: Plan, state: MemoryState) -> None:
    with pytest.raises(UsageError, match="there is no wave nowhere; the plan has canary, rest"):
        release(plan, state, "nowhere", "go", LATER)
    assert unread_commands(find_run(state, plan)) == []


def test_what_is_settled_while_nobody_works_counts_at_once_and_after_what_was_asked_before(
    plan: Plan, state: MemoryState
) -> None:
    hold(plan, state, "wait", LATER)
    assert settle(plan, state, KEY, "failed", "seen in the console", LATER)
    found = find_run(state, plan)
    assert found.run.standing(KEY) == "failed"
    assert found.run.hold is not None
    assert unread_commands(found) == []


def test_what_is_settled_beside_a_process_waits_for_it(plan: Plan, state: MemoryState) -> None:
    with state.fleet("prod").lock(BEGIN):
        assert not settle(plan, state, KEY, "failed", "seen in the console", LATER)
    assert find_run(state, plan).run.states[KEY].is_open
    assert len(unread_commands(find_run(state, plan))) == 1


def test_what_is_not_open_is_not_settled(plan: Plan, state: MemoryState) -> None:
    with pytest.raises(UsageError, match="is not open: it is waiting"):
        settle(plan, state, OTHER, "failed", "seen in the console", LATER)
    assert unread_commands(find_run(state, plan)) == []


def test_a_slip_in_an_id_names_the_proxy_that_was_probably_meant(plan: Plan, state: MemoryState) -> None:
    slip = f"7{KEY[1:]}"
    with pytest.raises(UsageError, match=f"{slip} is no target of run") as raised:
        settle(plan, state, slip, "failed", "seen in the console", LATER)
    assert raised.value.hint in {f"did you mean {each}?" for each in (KEY, OTHER)}, "these two are as near"


def test_a_fleet_is_claimed_from_its_plan_and_not_beside_a_process(plan: Plan, state: MemoryState) -> None:
    moved = Path(plan.path).with_name("moved.yaml")
    moved.touch()
    other = make_plan(TARGETS, path=str(moved))
    hold(plan, state, "wait", LATER)
    with pytest.raises(PlanError, match="belongs to"):
        hold(other, state, "wait", LATER)
    with state.fleet("prod").lock(BEGIN), pytest.raises(FleetLocked):
        claim(other, state, Path(plan.path), LATER)
    claim(other, state, Path(plan.path), LATER)
    assert hold(other, state, "wait", LATER) == (
        f"it was held already, since {LATER:%Y-%m-%d %H:%M:%SZ} by {user_name()}@{machine_name()}: wait; "
        "your note is recorded too"
    )


def test_a_fleet_that_is_not_there_cannot_be_claimed(plan: Plan) -> None:
    with pytest.raises(UsageError, match="there is no fleet prod in memory"):
        claim(plan, MemoryState(), Path(plan.path), LATER)


def test_a_claim_is_recorded_with_who_when_and_from_where(plan: Plan, state: MemoryState) -> None:
    moved = make_plan(TARGETS, path=str(Path(plan.path).with_name("moved.yaml")))
    state.fleet("prod").claim(Path(plan.path))
    claim(moved, state, Path(plan.path), LATER)
    (act,) = find_run(state, moved).run.acts
    me = f"{user_name()}@{machine_name()}"
    assert act == (LATER, me, f"handed the fleet over from {plan.path} to {moved.path}", None)
    said = list(standing(find_run(state, moved), moved, LATER, "moved.yaml"))
    assert sum("handed the fleet over" in line for line in said) == 1
    with pytest.raises(UsageError, match=r"prod belongs to it already, and none there belongs to .*prod\.yaml"):
        claim(moved, state, Path(plan.path), LATER)


def test_a_claim_of_a_fleet_whose_run_is_over_is_said_once(plan: Plan, state: MemoryState) -> None:
    stored = state.fleet("prod").runs()[-1]
    with closing(stored.resume(3)) as journal:
        journal.append([r.Settled(at=LATER, target=KEY, outcome=Outcome.FAILED), r.RunEnded(at=LATER)])
    moved = make_plan(TARGETS, path=str(Path(plan.path).with_name("moved.yaml")))
    state.fleet("prod").claim(Path(plan.path))
    claim(moved, state, Path(plan.path), LATER)
    said = list(standing(find_run(state, moved), moved, LATER, "moved.yaml"))
    assert sum("handed the fleet over" in line for line in said) == 1


def test_a_wave_that_was_done_is_open_again_when_one_of_it_was_settled_as_not_sent(
    plan: Plan, state: MemoryState
) -> None:
    stored = state.fleet("prod").runs()[-1]
    with closing(stored.resume(3)) as journal:
        journal.append([r.WaveOpened(at=BEGIN, wave="rest"), r.WaveDone(at=LATER, wave="rest")])
    settle(plan, state, KEY, "not_sent", "the console shows none", LATER)
    said = list(standing(find_run(state, plan), plan, LATER, "prod.yaml"))
    assert "  rest: open, 1 waiting" in said


@pytest.mark.parametrize("begun", [False, True])
def test_a_plan_of_another_name_learns_the_name_of_the_fleet_that_it_wants(
    plan: Plan, state: MemoryState, *, begun: bool
) -> None:
    renamed = make_plan(TARGETS, path=str(Path(plan.path).with_name("other.yaml")), name="other")
    state.fleet("prod").claim(Path(plan.path))
    if begun:
        state.fleet("other", writes=True).claim(Path(renamed.path))
    with pytest.raises(UsageError, match=r"that of .*prod\.yaml is called prod") as raised:
        claim(renamed, state, Path(plan.path), LATER)
    assert raised.value.hint == f"write `name: prod` into {renamed.path}, then claim it again"
    assert state.fleet("prod").owner() == Path(plan.path), "nothing was handed over"
