"""The session keeps checkpoints in a thread: the loop counts records, and does nothing else for them."""

import threading
from pathlib import Path
from typing import cast

import anyio
import anyio.from_thread
import pytest
from fakes.plausible import PlausibleRun

from orchestrator.app.sinks import checkpoint_keeper
from orchestrator.app.sinks.checkpoint_keeper import CheckpointKeeper
from orchestrator.executor.dispatch import Dispatcher
from orchestrator.model.record.record import RunStarted
from orchestrator.tracker.folder.state_folder import FolderRun, FolderState
from orchestrator.tracker.runs.recovery import recover

LIVE = PlausibleRun(7, count=30).steps(200)
FIRST, *REST = LIVE.records
NOBODY = cast("Dispatcher", None)


def begun(folder: Path, records: int = 0) -> FolderRun:
    assert isinstance(FIRST, RunStarted)
    run = FolderState(folder).fleet("prod", writes=True).begin(LIVE.plan, LIVE.targets, FIRST)
    added(run, 0, records)
    return run


def added(run: FolderRun, start: int, end: int) -> None:
    journal = run.resume(start + 2)
    if end > start:
        journal.append(REST[start:end])
    journal.close()


def kept(run: FolderRun) -> int:
    recalled = run.recall()
    return 0 if recalled is None else recalled.seq


def test_few_records_are_worth_no_checkpoint(tmp_path: Path) -> None:
    run = begun(tmp_path)
    keeper = CheckpointKeeper(recover(run), least=10)
    added(run, 0, 8)
    for record in REST[:8]:
        keeper.take(record)
    anyio.run(keeper.last)
    assert kept(run) == 0


def test_the_last_one_of_a_session_tells_of_all_that_is_new(tmp_path: Path) -> None:
    run = begun(tmp_path)
    keeper = CheckpointKeeper(recover(run), least=10)
    added(run, 0, 60)
    for record in REST[:60]:
        keeper.take(record)
    anyio.run(keeper.last)
    assert kept(run) == 61
    anyio.run(keeper.last)  # nothing is new


@pytest.mark.parametrize("taken", [0, 12])
def test_one_is_kept_beside_the_loop_when_enough_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: int
) -> None:
    run = begun(tmp_path, 12 - taken)
    keeper, threads, there = CheckpointKeeper(recover(run), least=12), list[int](), anyio.Event()

    def renew(*_: object) -> int:
        threads.append(threading.get_ident())
        anyio.from_thread.run_sync(there.set)
        return 13

    monkeypatch.setattr(checkpoint_keeper, "renew_checkpoint", renew)

    async def session() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(keeper.serve, NOBODY)
            for record in REST[:taken]:
                keeper.take(record)
            await there.wait()
            group.cancel_scope.cancel()

    anyio.run(session)
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_records_that_come_while_one_is_made_ask_for_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = CheckpointKeeper(recover(begun(tmp_path)), least=20)

    def renew(*_: object) -> int:
        for record in REST[20:30]:
            anyio.from_thread.run_sync(keeper.take, record)
        return 21

    monkeypatch.setattr(checkpoint_keeper, "renew_checkpoint", renew)
    for record in REST[:20]:
        keeper.take(record)
    assert keeper.due
    anyio.run(keeper.last)
    assert not keeper.due


def test_of_a_long_run_one_is_due_only_when_a_quarter_is_new(tmp_path: Path) -> None:
    run = begun(tmp_path, 99)
    anyio.run(CheckpointKeeper(recover(run), least=1).last)
    assert kept(run) == 100
    keeper = CheckpointKeeper(recover(run), least=1)
    due = []
    for _ in range(40):
        keeper.take(REST[0])
        due.append(keeper.due)
    assert due.index(True) == 32  # 33 new ones of 133
