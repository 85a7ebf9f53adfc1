"""The report after a wave is made of the records on disk, in a thread: the loop neither folds nor renders a target."""

import json
import threading
from pathlib import Path
from typing import Any, cast

import anyio
import pytest
from fakes.plausible import PlausibleRun
from fakes.recorded import BEGIN
from msgspec import structs

from orchestrator.app.sinks.report_writer import ReportWriter
from orchestrator.executor.dispatch import Dispatcher
from orchestrator.model.plan.plan import Plan
from orchestrator.model.record.record import RunStarted, WaveDone
from orchestrator.model.run.run import Run
from orchestrator.tracker.folder.state_folder import FolderState
from orchestrator.tracker.report import target as module
from orchestrator.tracker.report.target import target_report
from orchestrator.tracker.runs.recovery import recover

LIVE = PlausibleRun(6, count=20).steps(80)
NOBODY = cast("Dispatcher", None)


def _due_after(tmp_path: Path, plan: Plan, wave: str) -> bool:
    first = LIVE.records[0]
    assert isinstance(first, RunStarted)
    stored = FolderState(tmp_path).fleet("prod", writes=True).begin(LIVE.plan, LIVE.targets, first)
    writer = ReportWriter(recover(stored), plan, lambda _draft: None)
    writer.take(WaveDone(at=BEGIN, wave=wave))
    return writer.due


@pytest.mark.parametrize("number", [0, -1])
def test_a_wave_is_reported_while_another_one_is_not_done(tmp_path: Path, number: int) -> None:
    assert _due_after(tmp_path, LIVE.plan, LIVE.plan.waves[number].name)


def test_the_wave_that_leaves_none_is_reported_once_by_the_end_of_the_session(tmp_path: Path) -> None:
    only = LIVE.plan.waves[:1]
    assert not _due_after(tmp_path, structs.replace(LIVE.plan, waves=only), only[0].name)


def test_nothing_of_it_is_done_on_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, *rest = LIVE.records
    assert isinstance(first, RunStarted)
    stored = FolderState(tmp_path).fleet("prod", writes=True).begin(LIVE.plan, LIVE.targets, first)
    threads, written = list[int](), anyio.Event()
    writer = ReportWriter(recover(stored), LIVE.plan, lambda _draft: written.set())
    journal = stored.resume(2)
    journal.append(rest)
    journal.close()
    apply = Run.apply

    def counted(function: Any) -> Any:
        def call(*args: Any) -> Any:
            threads.append(threading.get_ident())
            return function(*args)

        return call

    monkeypatch.setattr(Run, "apply", counted(apply))
    monkeypatch.setattr(module, "target_report", counted(target_report))

    async def session() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(writer.serve, NOBODY)
            writer.take(WaveDone(at=BEGIN, wave="canary"))
            await written.wait()
            group.cancel_scope.cancel()

    anyio.run(session)
    assert len(threads) == len(LIVE.records) + 20
    assert threading.get_ident() not in threads
    outcomes = [each["outcome"] for each in json.loads(stored.report.read_bytes())["targets"]]
    assert outcomes == [LIVE.run.standing(target.proxy_id) for target in LIVE.targets]
