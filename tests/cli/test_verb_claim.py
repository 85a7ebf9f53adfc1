"""What `claim` says of the plan file that a fleet belonged to."""

from pathlib import Path

import pytest
from fakes.e2e import sim_targets
from fakes.here import DeskHere


@pytest.mark.parametrize("there", [True, False])
def test_an_old_plan_that_is_still_there_is_said_to_be_refused_and_is(tmp_path: Path, *, there: bool) -> None:
    desk = DeskHere(tmp_path, targets=sim_targets(1))
    desk.write(name="prod")
    desk.cli("hold", "PLAN", "--note", "moves")
    moved = tmp_path / "moved.yaml"
    moved.write_text(desk.plan.read_text())
    if not there:
        desk.plan.unlink()
    ended = desk.cli("claim", moved, "--from", desk.plan)
    assert ended.code == 0, ended.stderr
    assert (f"{desk.plan} is still there, and refused from now on in this state" in ended.stdout) is there
    if there:
        assert desk.cli("status", "PLAN").code == 2


def test_the_old_plan_may_be_named_from_where_one_stands(tmp_path: Path) -> None:
    desk = DeskHere(tmp_path, targets=sim_targets(1))
    desk.write(name="prod")
    desk.cli("hold", "PLAN", "--note", "moves")
    moved = tmp_path / "new" / "prod.yaml"
    moved.parent.mkdir()
    moved.write_text(desk.plan.read_text())
    other = desk.cli("claim", moved, "--from", f"new/../other/{desk.plan.name}", "--state", desk.state)
    assert (other.code, f"belongs to {desk.plan}" in other.stderr) == (2, True)
    ended = desk.cli("claim", moved, "--from", f"new/../{desk.plan.name}", "--state", desk.state)
    assert ended.code == 0, ended.stderr
    assert desk.cli("status", moved, "--state", desk.state).code == 0
