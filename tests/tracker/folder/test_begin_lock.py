"""Of two fleets that begin a run at the same moment, the second sees the first."""

import fcntl
from pathlib import Path

import pytest

from orchestrator.errors import StateError
from orchestrator.tracker.folder.begin_lock import one_begins


def test_one_fleet_at_a_time_begins_a_run(tmp_path: Path) -> None:
    with one_begins(tmp_path), (tmp_path / ".begin").open() as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with one_begins(tmp_path):
        pass


def test_a_start_that_hangs_holds_up_the_others_for_a_while_only(tmp_path: Path) -> None:
    with (
        one_begins(tmp_path),
        pytest.raises(StateError, match=r"\.begin: another fleet has been beginning a run for 0\.05 s"),
        one_begins(tmp_path, patience_s=0.05),
    ):
        pass
