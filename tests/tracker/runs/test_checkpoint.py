"""A checkpoint and the records behind it tell what all records tell, and one that does not fit is ignored."""

import gc
import os
import weakref
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from fakes.eventful import EventfulRun
from fakes.memory_state import MemoryRun, MemoryState
from fakes.plausible import PlausibleRun
from fakes.recorded import BEGIN
from fakes.same_run import knowledge
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from orchestrator.errors import JournalDamaged
from orchestrator.model.learned.cloud_clock import CloudClock
from orchestrator.model.learned.durations import Durations
from orchestrator.model.learned.gate_status import GateStatus
from orchestrator.model.learned.timeline import Timeline
from orchestrator.model.plan.settings import settings_of
from orchestrator.model.record.moment import Moment
from orchestrator.model.record.record import CloudTimeLearned, EarlierStarts, RunStarted
from orchestrator.model.run.packed import PackedIndex, PackedRun, PackedTally
from orchestrator.model.run.run import Run
from orchestrator.model.run.state import TargetState
from orchestrator.model.run.states.packed_state import Packed, PackedState
from orchestrator.model.run.status import ScopeStatus, WaveStatus
from orchestrator.model.run.tally import Count, Tally
from orchestrator.model.run.upgrade_call import Attempt
from orchestrator.tracker.folder.state_folder import FolderRun, FolderState
from orchestrator.tracker.runs import checkpoint
from orchestrator.tracker.runs.recovery import recover, renew_checkpoint
from orchestrator.tracker.state_store import StoredRun

SEEN = 40
CLASSES = (Attempt, Moment, Count, WaveStatus, ScopeStatus, GateStatus, Timeline, CloudClock, Durations)


def whole(stored: StoredRun) -> Run:
    """The fold of every record, whatever checkpoint there is."""
    return recover(stored, lambda _record: None).run


def in_memory(live: PlausibleRun) -> MemoryRun:
    first = live.records[0]
    assert isinstance(first, RunStarted)
    return MemoryState().fleet("prod").begin(live.plan, live.targets, first)


def in_folder(folder: Path, live: PlausibleRun) -> FolderRun:
    first, *rest = live.records
    assert isinstance(first, RunStarted)
    run = FolderState(folder).fleet("prod", writes=True).begin(live.plan, live.targets, first)
    journal = run.resume(2)
    journal.append(rest[: SEEN - 1])
    renew_checkpoint(run, live.targets)
    journal.append(rest[SEEN - 1 :])
    journal.close()
    return run


@pytest.fixture
def kept(tmp_path: Path) -> FolderRun:
    """A run of a hundred steps, with a checkpoint of its first 40 records."""
    return in_folder(tmp_path, PlausibleRun(7).steps(100))


@given(st.integers(0, 1 << 32))
@settings(max_examples=12)
def test_a_checkpoint_of_any_first_records_and_the_rest_are_all_records(seed: int) -> None:
    live = EventfulRun(seed, count=4).steps(40)
    stored, seen = in_memory(live), list[int]()
    stored.kept = live.records
    expected = knowledge(whole(stored))
    for number in range(1, len(live.records)):
        stored.kept = live.records[:number]
        renew_checkpoint(stored, live.targets)  # from the checkpoint before, and one record
        stored.kept = live.records
        found = recover(stored)
        seen.append(found.folded)
        assert knowledge(found.run) == expected
    assert seen == list(range(len(live.records) - 1, 0, -1))


def test_only_the_records_behind_it_are_decoded(kept: FolderRun) -> None:
    found = recover(kept)
    assert (found.folded, found.next_seq) == (found.next_seq - 1 - SEEN, len(list(kept.records())) + 1)
    assert knowledge(found.run) == knowledge(whole(kept))


def test_what_has_its_outcome_stays_packed_until_it_is_asked_for(kept: FolderRun) -> None:
    run = recover(kept).run
    packed = [key for key, state in run.states.known() if isinstance(state, Packed)]
    assert packed
    assert run.states.glance(packed[0]) == whole(kept).states[packed[0]]
    assert [key for key, state in run.states.known() if isinstance(state, Packed)] == packed
    assert run.states[packed[0]] is run.states[packed[0]]
    assert [key for key, state in run.states.known() if isinstance(state, Packed)] == packed[1:]


def test_what_is_known_of_a_clock_that_fell_back_is_kept() -> None:
    """Else more time would seem to have passed since an attempt than has for certain."""
    live = PlausibleRun(3, count=2)
    fell = [
        CloudTimeLearned(at=BEGIN + timedelta(seconds=number), scope="default", offset_s=offset_s)
        for number, offset_s in enumerate((5.0, -900.0, -3.0))
    ]
    stored = in_memory(live)
    stored.kept = [*live.records, *fell]
    renew_checkpoint(stored, live.targets)
    found = recover(stored)
    assert (found.folded, knowledge(found.run)) == (0, knowledge(whole(stored)))


def test_a_run_that_nobody_needs_any_more_is_gone_at_once(kept: FolderRun) -> None:
    """A session folds its journal again and again beside the loop, and the collector is spared there."""
    gc.disable()
    try:
        found = weakref.ref(recover(kept).run)
        assert found() is None
    finally:
        gc.enable()


def test_every_attribute_is_packed() -> None:
    run = {field.encode_name for kind in (PackedRun, PackedIndex) for field in structs.fields(kind)}
    live = PlausibleRun(1)
    assert run == set(vars(live.run)) - {"targets", "states", "failures"}
    assert set(PackedState.__struct_fields__) == set(TargetState.__struct_fields__) - {"target", "earlier"}
    assert set(PackedTally.__struct_fields__) == set(Tally.__struct_fields__)


def test_nothing_that_is_packed_has_a_part_that_is_not() -> None:
    """What a class keeps to itself is kept as well, and none sets an attribute that it is not given."""
    for kind in CLASSES:
        told = msgspec.inspect.type_info(kind)
        assert isinstance(told, msgspec.inspect.StructType)
        assert {field.name for field in told.fields} == set(kind.__struct_fields__)


def test_what_a_checkpoint_tells_of_is_on_disk_before_it(kept: FolderRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread may have written lines that it has not brought to disk yet."""
    synced, sync = list[str](), os.fsync

    def watched(handle: int) -> None:
        synced.append(Path(f"/proc/self/fd/{handle}").readlink().name)
        sync(handle)

    monkeypatch.setattr(os, "fsync", watched)
    renew_checkpoint(kept, kept.targets())
    assert synced[0] == "journal.ndjson"
    assert synced[1].startswith(".checkpoint.ndjson")


# --- what does not fit -----------------------------------------------------------------------------------------------


HARM: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "empty": lambda _lines: [],
    "torn": lambda lines: [*lines[:-1], lines[-1][:-1]],
    "torn in its first line": lambda lines: [lines[0][:10]],
    "without its last line": lambda lines: lines[:-1],
    "a changed byte": lambda lines: [*lines[:-1], lines[-1].replace(b'"rows"', b'"rowt"', 1)],
    "another text": lambda _lines: [b"no checkpoint\n"],
}


@pytest.mark.parametrize("harm", HARM)
def test_one_that_is_damaged_is_ignored(kept: FolderRun, harm: str) -> None:
    path = kept.folder / "checkpoint.ndjson"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(HARM[harm](lines)))
    found = recover(kept)
    assert found.folded == found.next_seq - 1
    assert knowledge(found.run) == knowledge(whole(kept))


def test_one_that_lacks_entries_of_an_index_is_ignored(tmp_path: Path) -> None:
    """Starts of earlier runs count before any target of this one has a state."""
    live = PlausibleRun(7, count=2)
    live.records.append(EarlierStarts(at=BEGIN, instants=(BEGIN, BEGIN)))
    run = in_folder(tmp_path, live)
    assert recover(run).folded == 0
    path = run.folder / "checkpoint.ndjson"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    found = recover(run)
    assert (found.folded, list(found.run.sent_at)) == (found.next_seq - 1, [BEGIN.timestamp()] * 2)


@pytest.mark.parametrize("there", ["nothing", "a folder"])
def test_one_that_is_missing_is_ignored(kept: FolderRun, there: str) -> None:
    path = kept.folder / "checkpoint.ndjson"
    path.unlink()
    if there == "a folder":
        path.mkdir()
    assert recover(kept).folded == len(list(kept.records()))


@pytest.mark.parametrize(("name", "value"), [("__version__", "0.0.9"), ("_FORM", 99)])
def test_one_of_another_version_is_ignored_and_made_again(
    kept: FolderRun, monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    monkeypatch.setattr(checkpoint, name, value)
    found = recover(kept)
    assert found.folded == found.next_seq - 1
    renew_checkpoint(kept, found.run.targets.values())
    assert recover(kept).folded == 0


def test_one_that_counted_other_harm_is_ignored(kept: FolderRun) -> None:
    plan = kept.plan()
    now = structs.replace(plan, failures=structs.replace(plan.failures, counts=("failed",)))
    kept.save_settings(settings_of(now))
    found = recover(kept)
    assert found.folded == found.next_seq - 1


def test_when_the_records_that_it_tells_of_have_changed_they_are_what_is_believed(kept: FolderRun) -> None:
    path = kept.folder / "journal.ndjson"
    path.write_bytes(path.read_bytes().replace(b'"attempt":1', b'"attempt":2', 1))
    with pytest.raises(JournalDamaged, match="checksum"):
        recover(kept)


def test_a_journal_that_is_shorter_than_it_was_is_what_is_believed(kept: FolderRun) -> None:
    path = kept.folder / "journal.ndjson"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[: SEEN - 10]))
    found = recover(kept)
    assert (found.folded, found.next_seq) == (SEEN - 10, SEEN - 9)
