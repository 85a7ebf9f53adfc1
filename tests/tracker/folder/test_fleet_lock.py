"""One process at a time works on a fleet, and the kernel frees the lock of one that died."""

import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.errors import ExitCode, FleetLocked, StateError
from orchestrator.tracker.folder import fleet_lock as lock
from orchestrator.tracker.folder.fleet_lock import fleet_lock, holder

SINCE = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)

HOLD = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from orchestrator.tracker.folder.fleet_lock import fleet_lock
with fleet_lock(Path(sys.argv[1]), datetime(2026, 3, 1, 22, tzinfo=UTC)):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "prod").mkdir()
    return tmp_path / "prod" / "lock"


def test_a_second_one_is_told_who_works_on_it(path: Path) -> None:
    with fleet_lock(path, SINCE):
        with pytest.raises(FleetLocked, match="prod: another process works on this fleet") as raised:
            fleet_lock(path, SINCE).__enter__()
        assert f"process {os.getpid()} on " in str(raised.value)
        assert "since 2026-03-01T22:00:00Z" in str(raised.value)
        assert raised.value.exit_code is ExitCode.LOCKED


def test_it_keeps_a_second_one_out_where_the_kernel_has_no_marks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mark is for those who look; the lock alone keeps others out."""
    monkeypatch.setattr(lock, "_SET_MARK", None)
    monkeypatch.setattr(lock, "_GET_MARK", None)
    with fleet_lock(path, SINCE), pytest.raises(FleetLocked, match=f"process {os.getpid()} on "):
        fleet_lock(path, SINCE).__enter__()
    assert holder(path) is None


def test_it_is_free_again_afterwards_also_after_an_error(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), fleet_lock(path, SINCE):
        raise ZeroDivisionError
    with fleet_lock(path, SINCE):
        assert path.exists()
    assert path.read_bytes() == b""


def test_the_kernel_frees_the_lock_of_a_process_that_was_killed(path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == b"held\n"
    with pytest.raises(FleetLocked, match=f"process {process.pid} on"):
        fleet_lock(path, SINCE).__enter__()
    assert str(holder(path)).startswith(f"process {process.pid} on")
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdin.close()
    process.stdout.close()
    assert holder(path) is None
    with fleet_lock(path, SINCE):
        pass


def test_looking_who_holds_it_takes_nothing_away(path: Path) -> None:
    assert holder(path) is None
    assert not path.exists()
    with fleet_lock(path, SINCE):
        assert holder(path) == f"process {os.getpid()} on {os.uname().nodename}, since 2026-03-01T22:00:00Z"
    assert holder(path) is None


def test_those_who_only_look_never_keep_a_starter_out(path: Path) -> None:
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            holder(path)

    path.touch()
    lookers = [threading.Thread(target=look) for _ in range(2)]
    for looker in lookers:
        looker.start()
    try:
        for _ in range(200):
            with fleet_lock(path, SINCE):
                pass
    finally:
        over.set()
        for looker in lookers:
            looker.join()


def test_children_do_not_inherit_it(path: Path) -> None:
    program = [sys.executable, "-c", "print('up', flush=True); input()"]
    with fleet_lock(path, SINCE):
        child = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=False)
        assert child.stdout is not None
        assert child.stdout.readline() == b"up\n"
    with fleet_lock(path, SINCE):
        child.communicate(b"\n")
    assert child.returncode == 0


def test_only_its_owner_may_read_it_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        with fleet_lock(path, SINCE):
            assert path.stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="cannot lock the fleet"):
        fleet_lock(tmp_path / "nowhere" / "lock", SINCE).__enter__()
