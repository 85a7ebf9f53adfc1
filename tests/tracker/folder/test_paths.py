"""Names and places of the state folder."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.errors import ExitCode, PlanError, UsageError
from orchestrator.tracker.folder.paths import (
    claim_fleet,
    fleet_folder,
    fleets,
    hand_over,
    list_runs,
    state_dir,
)
from orchestrator.tracker.folder.state_folder import FolderFleet
from orchestrator.tracker.runs.run_id import new_run_id

NOW = datetime(2026, 3, 1, 22, 0, 0, 7_900, tzinfo=UTC)


@pytest.mark.parametrize(
    ("option", "environ", "expected"),
    [
        ("/s", {"ORCHESTRATOR_STATE": "/e"}, "/s"),
        (None, {"ORCHESTRATOR_STATE": "/e"}, "/e"),
        (None, {"ORCHESTRATOR_STATE": ""}, "/plans/.orchestrator"),
        (None, {}, "/plans/.orchestrator"),
    ],
)
def test_where_the_state_is(option: str | None, environ: dict[str, str], expected: str) -> None:
    assert state_dir(option, environ, Path("/plans/prod.yaml")) == Path(expected)
    assert state_dir(option, environ, Path("/plans/prod.yaml"), simulated=True) == Path(expected, "simulated")


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "simulated", "-x", "a" * 129, "a\n"])
def test_a_name_that_is_no_folder_is_refused(name: str) -> None:
    with pytest.raises(PlanError, match="name"):
        fleet_folder(Path("/s"), name)


def test_a_name_belongs_to_one_plan_while_that_plan_exists(tmp_path: Path) -> None:
    folder, mine, other = tmp_path / "state" / "prod", tmp_path / "mine.yaml", tmp_path / "other.yaml"
    mine.touch()
    other.touch()
    claim_fleet(folder, mine)
    claim_fleet(folder, mine)
    with pytest.raises(PlanError, match=r"'prod' belongs to .*mine\.yaml") as raised:
        claim_fleet(folder, other)
    assert raised.value.exit_code is ExitCode.USAGE
    mine.unlink()
    claim_fleet(folder, other)
    assert (folder / "plan_path").read_text() == f"{other}\n"


def test_a_plan_that_moved_takes_its_fleet_along(tmp_path: Path) -> None:
    folder, mine, other = tmp_path / "state" / "prod", tmp_path / "mine.yaml", tmp_path / "other one.yaml"
    mine.touch()
    other.touch()
    with pytest.raises(UsageError, match="there is no fleet prod"):
        hand_over(folder, mine, other)
    claim_fleet(folder, mine)
    with pytest.raises(PlanError) as raised:
        claim_fleet(folder, other)
    assert f"orchestrator claim '{other}' --from {mine} --state {tmp_path / 'state'};" in (raised.value.hint or "")
    with pytest.raises(UsageError, match=r"belongs to .*mine\.yaml, not to"):
        hand_over(folder, tmp_path / "third.yaml", other)
    hand_over(folder, mine, other)
    claim_fleet(folder, other)
    with pytest.raises(PlanError, match="belongs to"):
        claim_fleet(folder, mine)


def test_another_name_of_the_same_plan_file_is_the_same_plan(tmp_path: Path) -> None:
    plan, link = tmp_path / "plan.yaml", tmp_path / "link.yaml"
    plan.touch()
    link.symlink_to(plan)
    claim_fleet(tmp_path / "prod", plan)
    claim_fleet(tmp_path / "prod", link)


def test_run_ids_sort_by_time_to_the_millisecond(tmp_path: Path) -> None:
    assert new_run_id(FolderFleet(tmp_path), NOW, "abc") == "20260301T220000007Z-abc"


def test_a_clock_that_was_set_back_does_not_make_a_new_run_old(tmp_path: Path) -> None:
    ids = []
    for minutes in (0, 5, -60, -60):
        ids.append(new_run_id(FolderFleet(tmp_path), NOW + timedelta(minutes=minutes), "abc"))
        (tmp_path / "runs" / ids[-1]).mkdir(parents=True)
    assert ids == sorted(set(ids))
    assert list_runs(tmp_path)[-1] == tmp_path / "runs" / ids[-1]


def test_what_was_never_made_completely_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "runs" / ".new-20260301T220000007Z-abc").mkdir(parents=True)
    assert list_runs(tmp_path) == []


def test_fleets_are_folders_that_ever_ran(tmp_path: Path) -> None:
    (tmp_path / "prod" / "runs").mkdir(parents=True)
    (tmp_path / "simulated" / "prod" / "runs").mkdir(parents=True)
    (tmp_path / "junk").touch()
    assert fleets(tmp_path) == [tmp_path / "prod"]
    assert fleets(tmp_path / "nowhere") == []
