"""The report and its page beside the journal: the page costs the run nothing, not even when it cannot be made."""

import json
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event, get_ident
from typing import cast

import anyio
from anyio import to_thread
from fakes.reported import make_run
from msgspec.structs import replace

from orchestrator.app.report.on_disk import write_reports, write_snapshot
from orchestrator.app.sinks.page_writer import PageWriter
from orchestrator.executor.dispatch import Dispatcher
from orchestrator.tracker.folder.state_folder import FolderRun


def stored_in(folder: Path) -> FolderRun:
    run = FolderRun(folder / "state" / "prod" / "runs" / "20260301T220000000Z-aa")
    run.folder.mkdir(parents=True)
    return run


def without_spans(page: str) -> str:
    """A page with its commands as they are copied."""
    return page.replace("<span>", "").replace("</span>", "")


def test_both_say_the_same_and_the_page_names_the_fleet_that_it_speaks_of(tmp_path: Path) -> None:
    run, plan = make_run(6, 2)
    stored = stored_in(tmp_path)
    assert write_reports(stored, run, plan, exit_code=1) is None
    assert len(json.loads(stored.report.read_text())["targets"]) == 6
    page = stored.page.read_text()
    assert all(f'<tr id="{key}">' in page for key in run.targets)
    assert f"--state {tmp_path / 'state'} --only-outcome rejected" in without_spans(page)
    assert stored.page.stat().st_mode & 0o777 == 0o600


def test_a_page_of_a_simulated_run_names_the_cloud_that_it_was_run_against(tmp_path: Path) -> None:
    run, plan = make_run(3)
    assert run.started is not None
    run.started = replace(run.started, simulated=True, world=("--seed", "7", "--faults", "harsh"))
    stored = stored_in(tmp_path)
    write_reports(stored, run, plan, exit_code=0)
    assert "--seed 7 --faults harsh PROXY_ID" in without_spans(stored.page.read_text())


def test_a_page_that_cannot_be_written_leaves_the_report_there(tmp_path: Path) -> None:
    run, plan = make_run(2)
    stored = stored_in(tmp_path)
    stored.page.mkdir()
    said = write_reports(stored, run, plan, exit_code=0)
    assert said is not None
    assert said.startswith("the page of the report could not be made: StateError")
    assert json.loads(stored.report.read_text())["run"]["exit_code"] == 0


@dataclass
class Watched:
    """A run whose page is written; knows by which thread."""

    stored: FolderRun
    drawn: Event = field(default_factory=Event)
    thread: int = 0

    @property
    def page(self) -> Path:
        self.thread = get_ident()
        self.drawn.set()
        return self.stored.page


def test_the_page_is_drawn_beside_the_loop(tmp_path: Path) -> None:
    run, plan = make_run(6, 2)
    watched = Watched(stored_in(tmp_path))
    writer = PageWriter(watched)  # type: ignore[arg-type]  # it asks for no more than the page

    async def session() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(writer.serve, cast("Dispatcher", None))
            writer.draw(write_snapshot(watched.stored, run, plan))
            await to_thread.run_sync(partial(watched.drawn.wait, 30))
            group.cancel_scope.cancel()

    anyio.run(session)
    assert watched.thread not in (0, get_ident())
    assert watched.stored.page.read_text().endswith("</html>")
