"""A state folder that others may change, or that is another user's, is refused before anything in it is used."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.recorded import BEGIN

from orchestrator.errors import StateError
from orchestrator.model.plan.commands import HoldCommand
from orchestrator.tracker.fleet_name import SIMULATED
from orchestrator.tracker.folder.command_file import CommandInbox, append_command
from orchestrator.tracker.folder.fleet_lock import fleet_lock, holder
from orchestrator.tracker.folder.paths import COMMANDS, fleet_folder
from orchestrator.tracker.journal.file import Journal, read_journal

HOLD = HoldCommand(at=BEGIN, user="kim", note="n")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "state" / SIMULATED / "prod").mkdir(parents=True)
    for folder in (tmp_path / "state", tmp_path / "state" / SIMULATED, tmp_path / "state" / SIMULATED / "prod"):
        folder.chmod(0o700)
    return tmp_path / "state"


@pytest.mark.parametrize("writes", [True, False])
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702, 0o1777])
@pytest.mark.parametrize("name", ["", SIMULATED, f"{SIMULATED}/prod"])
def test_a_folder_that_others_may_write_is_refused(state: Path, name: str, mode: int, *, writes: bool) -> None:
    (state / name).chmod(mode)
    with pytest.raises(StateError, match="others may write into it") as raised:
        fleet_folder(state / SIMULATED, "prod", writes=writes)
    assert f"chmod go-w {state / name}" in str(raised.value.hint)


@pytest.mark.parametrize("mode", [0o700, 0o750, 0o755])
def test_a_folder_that_others_may_only_read_is_fine(state: Path, mode: int) -> None:
    state.chmod(mode)
    assert fleet_folder(state, "prod", writes=True) == state / "prod"


def test_another_users_folder_is_refused_to_who_writes(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 4711)
    with pytest.raises(StateError, match=r"belongs to .*, and this is ") as raised:
        fleet_folder(state, "prod", writes=True)
    assert f"chown -R {owner + 4711} {state}" in str(raised.value.hint)


def test_another_users_folder_may_be_read_when_that_user_lets_us(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, allowed = os.geteuid(), True
    monkeypatch.setattr(os, "geteuid", lambda: owner + 4711)
    monkeypatch.setattr(os, "access", lambda _path, _mode: allowed)
    assert fleet_folder(state, "prod") == state / "prod"
    allowed = False
    with pytest.raises(StateError, match="belongs to "):
        fleet_folder(state, "prod")


def _lock(path: Path) -> None:
    with fleet_lock(path, BEGIN):
        pass


USES: dict[str, Callable[[Path], object]] = {
    "lock": _lock,
    "holder": holder,
    "journal, to go on": lambda path: Journal.resume(path, 1),
    "journal, to read": lambda path: list(read_journal(path)),
    "a command": lambda path: append_command(path.parent, HOLD),
    "commands": lambda path: CommandInbox(path.parent).new(0),
}


@pytest.mark.parametrize("use", USES)
def test_a_link_in_place_of_a_file_is_not_followed(use: str, state: Path) -> None:
    victim = state / "victim"
    victim.write_bytes(b"what matters to another\n")
    link = state / (COMMANDS if "command" in use else "file")
    link.symlink_to(victim)
    with pytest.raises(StateError, match="a link stands in its place"):
        USES[use](link)
    assert victim.read_bytes() == b"what matters to another\n"


@pytest.mark.parametrize("use", USES)
def test_a_pipe_in_place_of_a_file_is_not_waited_for(use: str, state: Path) -> None:
    pipe = state / (COMMANDS if "command" in use else "file")
    os.mkfifo(pipe)
    if use == "commands":
        assert USES[use](pipe) == []  # of size 0, so that nothing is new
        return
    with pytest.raises(StateError, match="not a regular file"):
        USES[use](pipe)
