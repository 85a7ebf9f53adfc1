"""A run is found again exactly as it was left, or not at all."""

import os
from pathlib import Path
from typing import Any

import pytest
from fakes.plausible import PlausibleRun
from fakes.recorded import BEGIN, NEW, make_targets, run_started
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator.errors import JournalDamaged, StateError
from orchestrator.model.plan.plan import Limits
from orchestrator.model.plan.settings import settings_of
from orchestrator.model.record.record import AnswerSeen, DoubtLooked, Intent, Record, RunStarted
from orchestrator.model.reply.reply import Entry
from orchestrator.model.run.run import Run
from orchestrator.tracker.folder.run_folder import create_run, save_settings
from orchestrator.tracker.folder.state_folder import FolderRun
from orchestrator.tracker.journal.file import Journal
from orchestrator.tracker.report.build import build_report
from orchestrator.tracker.report.json_form import report_chunks
from orchestrator.tracker.runs.recovery import recover


def kept(folder: Path, live: PlausibleRun) -> Path:
    first = live.records[0]
    assert isinstance(first, RunStarted)
    made, journal = create_run(folder, live.plan, live.targets, first)
    if live.records[1:]:
        journal.append(live.records[1:])
    journal.close()
    return made


def report(run: Run, live: PlausibleRun) -> bytes:
    return b"".join(report_chunks(build_report(run, live.plan)))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), steps=st.integers(0, 80))
def test_the_fold_of_the_journal_is_the_live_state(
    tmp_path_factory: pytest.TempPathFactory, seed: int, steps: int
) -> None:
    live = PlausibleRun(seed).steps(steps)
    found = recover(FolderRun(kept(tmp_path_factory.mktemp("state"), live)))
    assert found.next_seq == len(live.records) + 1
    assert found.plan == live.plan
    assert found.run.tally == live.run.tally
    assert found.run.hold == live.run.hold
    assert report(found.run, live) == report(live.run, live)


def test_cut_at_any_byte_it_is_the_state_before_the_torn_record(tmp_path: Path) -> None:
    live = PlausibleRun(3, count=3).steps(4)
    made = kept(tmp_path, live)
    path = made / "journal.ndjson"
    content = path.read_bytes()
    states = _reports_after_each(live)
    for cut in range(len(content) - 1, content.index(b"\n") + 1, -3):
        os.truncate(path, cut)
        assert report(recover(FolderRun(made)).run, live) == states[content[:cut].count(b"\n")]


def _reports_after_each(live: PlausibleRun) -> dict[int, bytes]:
    run = Run(live.targets, waves=("canary", "rest"), scopes=live.run.scopes, failures=live.plan.failures)
    states = {}
    for number, record in enumerate(live.records, 1):
        run.apply(record)
        states[number] = report(run, live)
    return states


def test_without_its_first_record_there_is_no_run(tmp_path: Path) -> None:
    made = kept(tmp_path, PlausibleRun(3))
    os.truncate(made / "journal.ndjson", 20)
    with pytest.raises(JournalDamaged, match="start of the run is not there"):
        recover(FolderRun(made))


def test_every_record_can_be_seen_on_the_way(tmp_path: Path) -> None:
    live, seen = PlausibleRun(4).steps(9), list[Record]()
    recover(FolderRun(kept(tmp_path, live)), seen.append)
    assert seen == live.records


def test_settings_of_the_latest_session_are_in_force(tmp_path: Path) -> None:
    live = PlausibleRun(3)
    made = kept(tmp_path, live)
    now = replace(live.plan, limits=Limits(concurrency=77))
    save_settings(made, settings_of(now))
    assert recover(FolderRun(made)).plan == live.plan
    assert recover(FolderRun(made)).in_force == now


@pytest.mark.parametrize(
    "record",
    [
        DoubtLooked(at=BEGIN, target="nobody", finding=""),
        run_started(8),
    ],
    ids=["unknown target", "second start"],
)
def test_a_record_that_does_not_fit_is_damage_with_its_place(tmp_path: Path, record: Record) -> None:
    made = kept(tmp_path, PlausibleRun(3))
    journal = Journal.resume(made / "journal.ndjson", 3)
    journal.append([record])
    journal.close()
    with pytest.raises(JournalDamaged, match=r"journal\.ndjson:3: "):
        recover(FolderRun(made))


def test_a_record_that_does_not_fit_its_target_sets_that_one_aside(tmp_path: Path) -> None:
    """It is read, the run goes on, and report and status name the target, the record and the place."""
    target, *others = (each.proxy_id for each in make_targets(3))
    made = kept(tmp_path, PlausibleRun(3))
    journal = Journal.resume(made / "journal.ndjson", 3)
    about: Any = {"at": BEGIN, "target": target, "attempt": 1}
    versions: Any = {"source_version": "1", "target_version": NEW}
    entry = Entry(instance_id="i", workflow_id="wf-1", state="ACCEPT", error_message=None)
    journal.append(
        [
            Intent(**about, wave="no such wave", token="t", **versions),
            AnswerSeen(**about, verdict="accepted", update_result=(entry,)),
        ]
    )
    journal.close()
    run = recover(FolderRun(made)).run
    assert run.standing(target) == "in_doubt"
    assert {run.standing(other) for other in others} == {"waiting"}
    (error,) = build_report(run, recover(FolderRun(made)).in_force).head.run.errors
    assert error.startswith(f"target {target}: the record intent cannot be applied: KeyError at model/run/known.py:")
    assert run.workflows == {"wf-1": target}


def test_a_journal_of_another_run_is_damage(tmp_path: Path) -> None:
    made = kept(tmp_path, PlausibleRun(3))
    moved = made.rename(made.with_name("20270101T000000000Z-x"))
    with pytest.raises(JournalDamaged, match="belongs to the run"):
        recover(FolderRun(moved))


def test_missing_targets_are_damage(tmp_path: Path) -> None:
    made = kept(tmp_path, PlausibleRun(3))
    lines = (made / "targets.ndjson").read_bytes().splitlines(keepends=True)
    (made / "targets.ndjson").write_bytes(b"".join(lines[:-1]))
    with pytest.raises(JournalDamaged, match="has 7 targets, and the journal says 8"):
        recover(FolderRun(made))


@pytest.mark.parametrize("name", ["plan.json", "settings.json", "targets.ndjson", "journal.ndjson"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    made = kept(tmp_path, PlausibleRun(3))
    (made / name).unlink()
    with pytest.raises(StateError, match=name):
        recover(FolderRun(made))
