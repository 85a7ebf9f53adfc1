"""The order in which waves draw is read where it was frozen with the targets, and worked out where it was not."""

from pathlib import Path

import pytest
from fakes.recorded import make_plan, make_targets, run_started

from orchestrator.model.plan.order import draw_order
from orchestrator.tracker.folder.state_folder import FolderRun, FolderState
from orchestrator.tracker.runs import recovery
from orchestrator.tracker.runs.recovery import recover

TARGETS = make_targets(40)
ORDER = draw_order("prod", (target.proxy_id for target in TARGETS))


@pytest.fixture
def stored(tmp_path: Path) -> FolderRun:
    fleet = FolderState(tmp_path).fleet("prod", writes=True)
    return fleet.begin(make_plan(TARGETS, name="prod"), TARGETS, run_started(len(TARGETS)))


@pytest.fixture
def worked_out(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """For which fleets an order was worked out."""
    fleets = list[str]()

    def counted(fleet: str, proxy_ids: list[str]) -> object:
        fleets.append(fleet)
        return draw_order(fleet, proxy_ids)

    monkeypatch.setattr(recovery, "draw_order", counted)
    return fleets


def test_no_target_is_sorted(stored: FolderRun, worked_out: list[str]) -> None:
    assert recover(stored).draw_order("prod") == ORDER
    assert worked_out == []


def test_of_a_run_of_an_earlier_version_all_are(stored: FolderRun, worked_out: list[str]) -> None:
    (stored.folder / "targets.sums").unlink()
    assert recover(stored).draw_order("prod") == ORDER
    assert worked_out == ["prod"]


def test_one_of_fewer_targets_is_not_taken(stored: FolderRun, worked_out: list[str]) -> None:
    class Fewer(FolderRun, frozen=True):
        def draw_order(self, fleet: str) -> list[int]:  # noqa: ARG002  # of any fleet
            return [0, 1]

    assert recover(Fewer(stored.folder)).draw_order("prod") == ORDER
    assert worked_out == ["prod"]
