"""What other fleets and earlier runs know."""

from pathlib import Path

import pytest
from fakes.recorded import BEGIN, NEW, OLD, make_plan, make_targets, run_started

from orchestrator.errors import JournalDamaged
from orchestrator.model.learned.elsewhere import Elsewhere
from orchestrator.model.record import record as r
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import Record
from orchestrator.tracker.folder.fleet_lock import fleet_lock
from orchestrator.tracker.folder.run_folder import create_run
from orchestrator.tracker.folder.state_folder import FolderFleet
from orchestrator.tracker.journal.peek import says_ended
from orchestrator.tracker.runs.other_runs import last_outcomes, open_elsewhere

TARGETS = make_targets(4)
A, B, C, D = (target.proxy_id for target in TARGETS)
FIRST, SECOND, THIRD = (f"2026030{day}T220000000Z-abcdef" for day in (1, 2, 3))
ENDED = r.RunEnded(at=BEGIN)
LEFT = r.SessionEnded(at=BEGIN, exit_code=1, why="done")


def keep(state: Path, fleet: str, run_id: str, *records: Record, version: str = NEW) -> Path:
    first = run_started(len(TARGETS), run_id=run_id, target_version=version)
    made, journal = create_run(state / fleet, make_plan(TARGETS), TARGETS, first)
    if records:
        journal.append(records)
    journal.close()
    return made


def intent(key: str) -> r.Intent:
    return r.Intent(at=BEGIN, target=key, attempt=1, wave="rest", token="t", source_version=OLD, target_version=NEW)


def settled(key: str, outcome: Outcome, reason: str | None = None) -> r.Settled:
    return r.Settled(at=BEGIN, target=key, outcome=outcome, wave="rest", reason=reason)


def test_what_is_open_in_another_fleet_is_named_with_its_run(tmp_path: Path) -> None:
    keep(tmp_path, "other", FIRST, intent(A), intent(B), settled(B, Outcome.SUCCEEDED))
    assert open_elsewhere(FolderFleet(tmp_path / "prod"), {A, B, C}) == {A: Elsewhere("other", FIRST, is_open=True)}
    assert open_elsewhere(FolderFleet(tmp_path / "prod"), {B, C}) == {}
    assert open_elsewhere(FolderFleet(tmp_path / "other"), {A, B, C}) == {}


class Asked:
    """Contains nothing, and notes what it was asked for."""

    def __init__(self) -> None:
        self.keys: list[object] = []

    def __contains__(self, proxy_id: object) -> bool:
        self.keys.append(proxy_id)
        return False


def test_only_proxies_of_other_fleets_are_asked_for(tmp_path: Path) -> None:
    """Not one of its own, of which there may be a million."""
    keep(tmp_path, "prod", FIRST, intent(A))
    asked = Asked()
    assert open_elsewhere(FolderFleet(tmp_path / "prod"), asked) == {}
    assert asked.keys == []
    keep(tmp_path, "other", FIRST, intent(B))
    assert open_elsewhere(FolderFleet(tmp_path / "prod"), asked) == {}
    assert asked.keys == [A, B, C, D]


def test_what_a_process_is_about_to_send_is_as_good_as_open(tmp_path: Path) -> None:
    keep(tmp_path, "other", FIRST, intent(B), settled(B, Outcome.SUCCEEDED))
    with fleet_lock(tmp_path / "other" / "lock", BEGIN):
        assert open_elsewhere(FolderFleet(tmp_path / "prod"), {A, B}) == {A: Elsewhere("other", FIRST, is_open=False)}
    assert open_elsewhere(FolderFleet(tmp_path / "prod"), {A, B}) == {}


def test_only_the_newest_run_of_a_fleet_can_have_something_open(tmp_path: Path) -> None:
    keep(tmp_path, "other", FIRST, intent(A))
    keep(tmp_path, "other", SECOND)
    assert open_elsewhere(FolderFleet(tmp_path / "prod"), {A}) == {}


def test_a_run_that_has_ended_is_not_read_again(tmp_path: Path) -> None:
    made = keep(tmp_path, "other", FIRST, intent(A), settled(A, Outcome.FAILED), ENDED, LEFT)
    assert says_ended(made / "journal.ndjson")
    (made / "plan.json").unlink()
    assert open_elsewhere(FolderFleet(tmp_path / "prod"), {A}) == {}


def test_a_torn_end_is_no_end(tmp_path: Path) -> None:
    made = keep(tmp_path, "other", FIRST, intent(A), ENDED)
    path = made / "journal.ndjson"
    path.write_bytes(path.read_bytes()[:-1])
    assert not says_ended(made / "journal.ndjson")
    assert open_elsewhere(FolderFleet(tmp_path / "prod"), {A}) == {A: Elsewhere("other", FIRST, is_open=True)}


def test_a_neighbour_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    made = keep(tmp_path, "other", FIRST, intent(A))
    with (made / "journal.ndjson").open("ab") as file:
        file.write(b"junk\n")
    with pytest.raises(JournalDamaged, match="other"):
        open_elsewhere(FolderFleet(tmp_path / "prod"), {A})


def test_the_last_outcome_of_every_run_counts(tmp_path: Path) -> None:
    keep(tmp_path, "prod", FIRST, settled(A, Outcome.FAILED), settled(B, Outcome.SUCCEEDED), version=OLD)
    keep(tmp_path, "prod", SECOND, settled(A, Outcome.SUCCEEDED), settled(C, Outcome.REJECTED))
    keep(tmp_path, "prod", THIRD, settled(D, Outcome.FAILED))
    assert last_outcomes(FolderFleet(tmp_path / "prod"), THIRD) == {
        A: (Outcome.SUCCEEDED, NEW),
        B: (Outcome.SUCCEEDED, OLD),
        C: (Outcome.REJECTED, NEW),
    }
    assert D in last_outcomes(FolderFleet(tmp_path / "prod"))


def test_a_second_verification_that_failed_is_the_last_outcome(tmp_path: Path) -> None:
    bad = r.Reverified(at=BEGIN, target=A, healthy=False, finding="node ABNORMAL")
    good = r.Reverified(at=BEGIN, target=B, healthy=True, finding="")
    both = (settled(A, Outcome.SUCCEEDED), settled(B, Outcome.SUCCEEDED))
    keep(tmp_path, "prod", FIRST, *both, bad, good)
    assert last_outcomes(FolderFleet(tmp_path / "prod")) == {A: (Outcome.FAILED, NEW), B: (Outcome.SUCCEEDED, NEW)}


def test_being_left_out_for_a_failure_does_not_hide_the_failure(tmp_path: Path) -> None:
    keep(tmp_path, "prod", FIRST, settled(A, Outcome.FAILED), settled(B, Outcome.REJECTED))
    keep(
        tmp_path,
        "prod",
        SECOND,
        settled(A, Outcome.SKIPPED, "failed_before"),
        settled(B, Outcome.NOT_STARTED, "superseded"),
        settled(C, Outcome.NOT_STARTED, "superseded"),
    )
    assert last_outcomes(FolderFleet(tmp_path / "prod")) == {
        A: (Outcome.FAILED, NEW),
        B: (Outcome.REJECTED, NEW),
        C: (Outcome.NOT_STARTED, NEW),
    }
