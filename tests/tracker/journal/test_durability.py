"""What is promised to be on disk was synced before: every file, and every name that leads to it, in this order."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fakes.recorded import RUN_ID, make_plan, make_targets, run_started

from orchestrator.errors import ExitCode, StateError
from orchestrator.model.plan.commands import HoldCommand
from orchestrator.model.record.record import Record
from orchestrator.tracker.disk import FOLDER_MODE, make_folder, open_private, replace_file, write_all, write_file
from orchestrator.tracker.folder.command_file import append_command
from orchestrator.tracker.folder.run_folder import create_run
from orchestrator.tracker.journal.file import Journal, read_journal

TARGETS = make_targets(3)
FIRST = run_started(3)


class Disk:
    """What the system was asked to bring to disk, and what was given another name, in order."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.acts: list[str] = []

    def name(self, path: Any) -> str:
        return str(Path(os.fsdecode(path)).relative_to(self.folder)) or "."


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    """Writes down every fsync and rename; both are made all the same."""
    seen, sync, rename, replace = Disk(tmp_path), os.fsync, os.rename, os.replace

    def synced(handle: int) -> None:
        seen.acts.append(f"sync {seen.name(Path(f'/proc/self/fd/{handle}').readlink())}")
        sync(handle)

    def renamed(old: Any, new: Any) -> None:
        seen.acts.append(f"name {seen.name(new)}")
        rename(old, new)

    def replaced(old: Any, new: Any) -> None:
        seen.acts.append(f"name {seen.name(new)}")
        replace(old, new)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "rename", renamed)
    monkeypatch.setattr(os, "replace", replaced)
    return seen


def test_a_new_run_is_on_disk_with_all_its_files_before_it_has_its_name(disk: Disk, tmp_path: Path) -> None:
    create_run(tmp_path / "prod", make_plan(TARGETS), TARGETS, FIRST)[1].close()
    making = f"prod/runs/.new-{RUN_ID}"
    named = disk.acts.index(f"name prod/runs/{RUN_ID}")
    before, after = disk.acts[:named], disk.acts[named + 1 :]
    for name in ("plan.json", "targets.ndjson", "journal.ndjson"):
        assert f"sync {making}/{name}" in before
    assert any(act.startswith(f"sync {making}/.settings.json") for act in before)
    assert before[-1] == f"sync {making}"
    assert after == ["sync prod/runs", "name prod/latest", "sync prod"]


def test_the_name_of_a_journal_is_on_disk_before_its_first_record(disk: Disk, tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "journal.ndjson")
    assert disk.acts == ["sync journal.ndjson", "sync ."]
    journal.append([FIRST])
    journal.close()


def test_a_torn_line_that_was_cut_off_stays_so(disk: Disk, tmp_path: Path) -> None:
    path = tmp_path / "journal.ndjson"
    journal = Journal.create(path)
    journal.append([FIRST])
    journal.close()
    path.write_bytes(path.read_bytes() + b"torn")
    disk.acts.clear()
    Journal.resume(path, 2).close()
    assert disk.acts == ["sync journal.ndjson"]


def test_a_file_that_takes_the_place_of_another_is_whole_before_it_does(disk: Disk, tmp_path: Path) -> None:
    replace_file(tmp_path / "report.json", [b"{", b"}"])
    assert [act.split("/")[-1].partition(".")[0] for act in disk.acts] == ["sync ", "name report", "sync "]
    assert disk.acts[1:] == ["name report.json", "sync ."]


def test_a_command_is_on_disk_before_its_verb_returns(disk: Disk, tmp_path: Path) -> None:
    append_command(tmp_path, HoldCommand(at=FIRST.at, user="ann", note="wait"))
    assert disk.acts == ["sync commands.ndjson", "sync ."]


@pytest.mark.parametrize("umask", [0, 0o377])
def test_folders_that_are_made_are_private_and_their_names_on_disk(disk: Disk, tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        make_folder(tmp_path / "a" / "b")
        write_file(tmp_path / "a" / "b" / "file", [b"x"])
    finally:
        os.umask(before)
    assert disk.acts == ["sync .", "sync a", "sync a/b/file"]
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("a", "a/b")] == [FOLDER_MODE] * 2
    assert (tmp_path / "a" / "b" / "file").stat().st_mode & 0o777 == 0o600


# --- a system that takes what it likes --------------------------------------------------------------------------------


@contextmanager
def _taking(monkeypatch: pytest.MonkeyPatch, most: int) -> Iterator[None]:
    """At most so many bytes at a time."""
    write = os.write
    with monkeypatch.context() as context:
        context.setattr(os, "write", lambda handle, data: write(handle, bytes(data[:most])) if most else 0)
        yield


def test_every_byte_is_written_however_few_are_taken_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handle = open_private(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    with _taking(monkeypatch, 7):
        write_all(handle, b"x" * 100)
    os.close(handle)
    assert (tmp_path / "file").read_bytes() == b"x" * 100


def test_a_system_that_takes_nothing_is_an_error_and_no_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal.create(tmp_path / "journal.ndjson")
    with _taking(monkeypatch, 0), pytest.raises(StateError, match="took no byte"):
        journal.append([FIRST])
    journal.close()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.EIO, "the disk fails"),
        (errno.ENOENT, "the folder is gone"),
        (errno.ESTALE, "durable local disk"),
    ],
)
@pytest.mark.parametrize("when", ["write", "sync"])
def test_whatever_the_disk_says_in_mid_run_ends_the_journal_with_a_hint(
    tmp_path: Path, number: int, words: str, when: str
) -> None:
    path = tmp_path / "journal.ndjson"
    Journal.create(path).close()
    handle = os.open(path, os.O_RDWR | os.O_APPEND)

    def fails(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    journal = Journal(handle, path, 1, **({"write": fails} if when == "write" else {"sync": fails}))
    for _ in range(2):
        with pytest.raises(StateError, match=r"journal\.ndjson: cannot write to the journal") as raised:
            journal.append([FIRST])
        assert raised.value.exit_code is ExitCode.STATE_UNUSABLE
        assert words in (raised.value.hint or "")
    journal.close()
    kept: list[Record] = [record for _, record in read_journal(path)]
    assert kept == ([] if when == "write" else [FIRST]), "and nothing after it"
