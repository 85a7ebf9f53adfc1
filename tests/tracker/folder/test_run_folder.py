"""Making runs, and reading back what is frozen in them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.recorded import RUN_ID, make_plan, make_targets, run_started
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import JournalDamaged, StateError
from orchestrator.model.plan.plan import Discover, Failures, Follow, Freeze, Limits, Window
from orchestrator.model.plan.selection import Selector
from orchestrator.model.plan.settings import settings_of
from orchestrator.model.plan.target import Target
from orchestrator.tracker.folder.frozen_targets import load_frozen_targets
from orchestrator.tracker.folder.paths import list_runs
from orchestrator.tracker.folder.run_folder import create_run, load_frozen_plan, load_settings
from orchestrator.tracker.journal.file import read_journal

TARGETS = make_targets(5)
PLAN = make_plan(TARGETS)


def make(folder: Path, run_id: str = RUN_ID) -> Path:
    made, journal = create_run(folder, PLAN, TARGETS, run_started(len(TARGETS), run_id=run_id))
    journal.close()
    return made


def test_a_new_run_holds_what_it_was_made_of(tmp_path: Path) -> None:
    made = make(tmp_path / "prod")
    assert made == tmp_path / "prod" / "runs" / RUN_ID
    assert load_frozen_plan(made) == PLAN
    assert list(load_frozen_targets(made)) == TARGETS
    assert load_settings(made) == settings_of(PLAN)
    assert [record for _, record in read_journal(made / "journal.ndjson")] == [run_started(5)]


def test_a_plan_with_everything_in_it_comes_back(tmp_path: Path) -> None:
    plan = make_plan(
        TARGETS,
        windows=(Window(days=(5, 6), opens=1320, closes=300, timezone="Asia/Shanghai"),),
        freezes=(Freeze(start="2026-12-20", end="2027-01-04", timezone="UTC"),),
        limits=Limits(rate="auto", per_label={"app": 1}),
        failures=Failures(mode="soft", counts=("failed",)),
        follow=Follow(to="accepted"),
        discover=(Discover(scope="default"),),
        exclude=(Selector(labels={"app": "x"}),),
        written=frozenset({"limits.rate"}),
    )
    made, journal = create_run(tmp_path, plan, TARGETS, run_started(5))
    journal.close()
    assert load_frozen_plan(made) == plan


def test_the_journal_that_is_handed_back_goes_on_after_the_first_record(tmp_path: Path) -> None:
    made, journal = create_run(tmp_path, PLAN, TARGETS, run_started(5))
    journal.append([run_started(5)])
    journal.close()
    assert [number for number, _ in read_journal(made / "journal.ndjson")] == [1, 2]


def test_only_its_owner_may_look_into_it_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        make(tmp_path / "state" / "prod")
    finally:
        os.umask(before)
    for path in (tmp_path / "state").rglob("*"):
        if not path.is_symlink():
            assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_latest_leads_to_the_newest_run(tmp_path: Path) -> None:
    make(tmp_path)
    newer = make(tmp_path, "20260302T220000000Z-abcdef")
    assert (tmp_path / "latest").resolve() == newer
    assert (tmp_path / "latest").readlink() == Path("runs", newer.name)
    assert list_runs(tmp_path)[-1] == newer


def test_what_a_crash_has_left_of_a_run_is_removed_by_the_next(tmp_path: Path) -> None:
    left = tmp_path / "runs" / ".new-20260301T000000000Z-dead00"
    left.mkdir(parents=True)
    (left / "plan.json").touch()
    make(tmp_path)
    assert not left.exists()


def test_targets_that_cannot_be_read_to_their_end_leave_no_run(tmp_path: Path) -> None:
    def broken() -> Iterator[Target]:
        yield TARGETS[0]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        create_run(tmp_path, PLAN, broken(), run_started(5))
    assert list_runs(tmp_path) == []


def test_a_run_is_never_made_twice(tmp_path: Path) -> None:
    make(tmp_path)
    with pytest.raises(StateError):
        make(tmp_path)


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("state"))


@given(place=st.integers(0, 700))
def test_changed_targets_are_found(made_once: Path, place: int) -> None:
    path = made_once / "targets.ndjson"
    before = path.read_bytes()
    path.write_bytes(before[:place] + bytes([before[place] ^ 1]) + before[place + 1 :])
    try:
        with pytest.raises(JournalDamaged, match=r"targets\.ndjson:\d"):
            list(load_frozen_targets(made_once))
    finally:
        path.write_bytes(before)


@pytest.mark.parametrize("content", [b"", b"{", b"{}\n"])
def test_a_changed_plan_is_found(tmp_path: Path, content: bytes) -> None:
    made = make(tmp_path)
    (made / "plan.json").write_bytes(content)
    with pytest.raises(JournalDamaged, match=r"plan\.json"):
        load_frozen_plan(made)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StateError, match="Not a directory"):
        make(tmp_path / "file" / "prod")
