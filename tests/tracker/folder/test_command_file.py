"""What a person asks of a running fleet arrives once, in order, and whole."""

import fcntl
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread

import pytest
from fakes.recorded import BEGIN

from orchestrator.errors import JournalDamaged, StateError
from orchestrator.model.plan.commands import HoldCommand, ReleaseCommand, SettleCommand
from orchestrator.tracker.folder.command_file import CommandInbox, append_command

HOLD = HoldCommand(at=BEGIN, user="ann", note="wait: ünïcode")
RELEASE = ReleaseCommand(at=BEGIN, user="bob", note="go", wave="early")
SETTLE = SettleCommand(at=BEGIN, user="ann", note="looked", proxy_id="p", outcome="not_sent")


def test_commands_are_numbered_and_come_back_as_they_were(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "prod"
    assert [append_command(folder, each) for each in (HOLD, RELEASE, SETTLE)] == [1, 2, 3]
    assert CommandInbox(folder).new(0) == [(1, HOLD), (2, RELEASE), (3, SETTLE)]
    assert CommandInbox(folder).new(2) == [(3, SETTLE)]
    assert (folder / "commands.ndjson").stat().st_mode & 0o777 == 0o600


def test_a_fleet_that_nobody_ever_commanded_has_none(tmp_path: Path) -> None:
    assert CommandInbox(tmp_path).new(0) == []


def test_an_inbox_gives_each_command_once(tmp_path: Path) -> None:
    inbox = CommandInbox(tmp_path)
    assert inbox.new() == []
    append_command(tmp_path, HOLD)
    assert inbox.new() == [(1, HOLD)]
    assert inbox.new() == []
    append_command(tmp_path, RELEASE)
    assert inbox.new() == [(2, RELEASE)]


def test_what_an_earlier_session_has_seen_is_left_out(tmp_path: Path) -> None:
    append_command(tmp_path, HOLD)
    append_command(tmp_path, RELEASE)
    assert CommandInbox(tmp_path).new(after=1) == [(2, RELEASE)]


def test_asking_again_reads_nothing_as_long_as_the_size_stays(tmp_path: Path) -> None:
    append_command(tmp_path, HOLD)
    inbox = CommandInbox(tmp_path)
    inbox.new()
    path = tmp_path / "commands.ndjson"
    path.write_bytes(b"x" * path.stat().st_size)
    assert inbox.new() == []


def test_a_torn_command_does_not_count_and_is_cut_off_by_the_next(tmp_path: Path) -> None:
    append_command(tmp_path, HOLD)
    path = tmp_path / "commands.ndjson"
    whole = path.read_bytes()
    append_command(tmp_path, RELEASE)
    os.truncate(path, path.stat().st_size - 1)
    inbox = CommandInbox(tmp_path)
    assert inbox.new() == [(1, HOLD)]
    assert append_command(tmp_path, SETTLE) == 2
    assert path.read_bytes().startswith(whole)
    assert inbox.new() == [(2, SETTLE)]


def test_damage_is_found_by_reader_and_writer(tmp_path: Path) -> None:
    append_command(tmp_path, HOLD)
    path = tmp_path / "commands.ndjson"
    path.write_bytes(path.read_bytes().replace(b"ann", b"eve"))
    with pytest.raises(JournalDamaged, match=r"commands\.ndjson:1"):
        CommandInbox(tmp_path).new(0)
    with pytest.raises(JournalDamaged):
        append_command(tmp_path, RELEASE)


def test_commands_that_vanish_are_damage(tmp_path: Path) -> None:
    append_command(tmp_path, HOLD)
    inbox = CommandInbox(tmp_path)
    inbox.new()
    (tmp_path / "commands.ndjson").unlink()
    with pytest.raises(JournalDamaged, match="are gone"):
        inbox.new()


def test_many_at_once_get_a_number_each(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda _: append_command(tmp_path, HOLD), range(24)))
    assert sorted(numbers) == list(range(1, 25))
    assert len(CommandInbox(tmp_path).new(0)) == 24


def test_who_writes_waits_for_who_writes_already(tmp_path: Path) -> None:
    append_command(tmp_path, HOLD)
    writer = Thread(target=append_command, args=(tmp_path, RELEASE))
    with (tmp_path / "commands.ndjson").open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        writer.start()
        writer.join(0.2)
        assert writer.is_alive()
        assert CommandInbox(tmp_path).new(0) == [(1, HOLD)]
    writer.join()
    assert CommandInbox(tmp_path).new(0) == [(1, HOLD), (2, RELEASE)]


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "commands.ndjson").mkdir()
    with pytest.raises(StateError, match=r"commands\.ndjson"):
        append_command(tmp_path, HOLD)
