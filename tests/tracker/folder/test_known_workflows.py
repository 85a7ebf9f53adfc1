"""Every workflow_id in a state folder is known, also what other processes write meanwhile."""

from pathlib import Path

import pytest
from fakes.recorded import BEGIN, NEW, OLD, make_plan, make_targets, run_started
from msgspec.structs import replace as with_fields

from orchestrator.errors import StateError
from orchestrator.model.record import record as r
from orchestrator.model.record.record import Record
from orchestrator.model.reply.reply import Entry
from orchestrator.tracker.folder.known_workflows import Workflows
from orchestrator.tracker.folder.run_folder import create_run
from orchestrator.tracker.journal.file import Journal
from orchestrator.tracker.workflow_store import Teller

TARGETS = make_targets(3)
A, B, C = (target.proxy_id for target in TARGETS)
FIRST, SECOND = (f"2026030{day}T220000000Z-abcdef" for day in (1, 2))
ENDED = r.RunEnded(at=BEGIN)


def keep(state: Path, fleet: str, run_id: str, *records: Record) -> Path:
    made, journal = create_run(state / fleet, make_plan(TARGETS), TARGETS, run_started(len(TARGETS), run_id=run_id))
    if records:
        journal.append(records)
    journal.close()
    return made


def intent(key: str) -> r.Intent:
    return r.Intent(at=BEGIN, target=key, attempt=1, wave="rest", token="t", source_version=OLD, target_version=NEW)


def answer(key: str, *entries: Entry) -> r.AnswerSeen:
    return r.AnswerSeen(at=BEGIN, target=key, attempt=1, verdict="in_doubt", update_result=entries)


def test_workflows_of_every_run_and_fleet_are_known(tmp_path: Path) -> None:
    fake = '"workflow_id":"not-one"'
    keep(
        tmp_path,
        "other",
        FIRST,
        intent(A),
        answer(A, Entry(workflow_id="w1", state="ACCEPT"), Entry(workflow_id="w2", state="ODD", error_message=fake)),
    )
    keep(
        tmp_path,
        "prod",
        FIRST,
        intent(B),
        r.WorkflowAdopted(at=BEGIN, target=B, workflow_id="w3", evidence="the only one"),
    )
    keep(tmp_path, "prod", SECOND, intent(C), answer(C, Entry(state="REJECT", error_message="no")))
    assert Workflows(tmp_path).known() == {"w1", "w2", "w3"}


def test_what_an_answer_to_another_question_named_is_nobodys(tmp_path: Path) -> None:
    own, other = Entry(workflow_id="w1", state="ACCEPT"), Entry(workflow_id="w2", state="ACCEPT")
    crossed = with_fields(answer(A, own, other), strays=("w2",))
    keep(tmp_path, "prod", FIRST, intent(A), crossed)
    assert Workflows(tmp_path).known() == {"w1"}


def test_what_a_run_told_stays_known_while_somebody_moves_it_away(tmp_path: Path) -> None:
    made = keep(tmp_path, "other", FIRST, intent(A), answer(A, Entry(workflow_id="w1", state="ACCEPT")), ENDED)
    workflows = Workflows(tmp_path)
    assert workflows.known() == {"w1"}
    (made / "journal.ndjson").unlink()
    assert workflows.known() == {"w1"}
    with pytest.raises(StateError):
        Workflows(tmp_path).known()


def test_what_another_fleet_learns_later_is_known_too(tmp_path: Path) -> None:
    """Its process goes on beside ours: its upgrades must not be taken for a doubtful one of ours."""
    workflows = Workflows(tmp_path)
    made = keep(tmp_path, "other", FIRST, intent(A))
    assert workflows.known() == set()
    journal = Journal.resume(made / "journal.ndjson", 3)
    journal.append([answer(A, Entry(workflow_id="w1", state="ACCEPT"))])
    assert workflows.known() == {"w1"}
    journal.append([r.WorkflowAdopted(at=BEGIN, target=B, workflow_id="w2", evidence="the only one")])
    journal.close()
    with (made / "journal.ndjson").open("ab") as file:
        file.write(b'{"seq":6,"workflow_id":"torn"')
    keep(tmp_path, "third", FIRST, intent(C), answer(C, Entry(workflow_id="w3", state="ACCEPT")))
    assert workflows.known() == workflows.known() == {"w1", "w2", "w3"}


def test_what_was_read_is_not_read_again(tmp_path: Path) -> None:
    made = keep(tmp_path, "other", FIRST, intent(A), answer(A, Entry(workflow_id="w1", state="ACCEPT")))
    workflows, path = Workflows(tmp_path), made / "journal.ndjson"
    assert workflows.known() == {"w1"}
    path.write_bytes(b"x" * path.stat().st_size)
    assert workflows.known() == {"w1"}


def test_what_is_known_at_one_instant_stays_so_and_is_never_copied(tmp_path: Path) -> None:
    """Every attempt asks, and a state folder may hold a million."""
    made = keep(tmp_path, "other", FIRST, intent(A), answer(A, Entry(workflow_id="w1", state="ACCEPT")))
    workflows = Workflows(tmp_path)
    before = workflows.known()
    journal = Journal.resume(made / "journal.ndjson", 4)
    journal.append([r.WorkflowAdopted(at=BEGIN, target=B, workflow_id="w2", evidence="the only one")])
    journal.close()
    after = workflows.known()
    assert ("w1" in before, "w2" in before, "w2" in after) == (True, False, True)
    assert (before, after) == ({"w1"}, {"w1", "w2"})
    assert (after | {"w3"}, after - before) == ({"w1", "w2", "w3"}, {"w2"})
    assert vars(before)["_places"] is vars(after)["_places"]


def test_what_was_read_is_known_though_another_journal_cannot_be_read(tmp_path: Path) -> None:
    """It is not read again, so it must not be forgotten either."""
    keep(tmp_path, "first", FIRST, intent(A), answer(A, Entry(workflow_id="w1", state="ACCEPT")))
    other = keep(tmp_path, "second", FIRST, intent(B)) / "journal.ndjson"
    kept, workflows = other.read_bytes(), Workflows(tmp_path)
    other.write_bytes(b"x" * 20 + kept[20:])
    with pytest.raises(StateError):
        workflows.known()
    other.write_bytes(kept)
    assert workflows.known() == {"w1"}


def test_the_line_that_names_it_is_found_again_in_whatever_order_they_were_read(tmp_path: Path) -> None:
    made = keep(tmp_path, "second", FIRST, intent(A), answer(A, Entry(workflow_id="w1", state="ACCEPT")))
    workflows = Workflows(tmp_path)
    workflows.known()
    keep(tmp_path, "first", FIRST, intent(B), answer(B, Entry(workflow_id="w2", state="ACCEPT")))
    journal = Journal.resume(made / "journal.ndjson", 4)
    journal.append([r.WorkflowAdopted(at=BEGIN, target=C, workflow_id="w3", evidence="the only one")])
    journal.append([r.WorkflowAdopted(at=BEGIN, target=B, workflow_id="w1", evidence="a second time")])
    journal.close()
    workflows.known()
    found = [workflows.teller(each) for each in ("w1", "w2", "w3", "w4")]
    assert found == [
        Teller("second", FIRST, A, 3),
        Teller("first", FIRST, B, 3),
        Teller("second", FIRST, C, 4),
        None,
    ]
    (made / "journal.ndjson").unlink()
    assert workflows.teller("w1") is None
