"""A run carried between a folder and a database: what is read from either is the same."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.databases import state_in
from fakes.recorded import BEGIN, NEW, OLD, RUN_ID, make_plan, make_targets, run_started
from msgspec.structs import replace

from orchestrator.app.state.carry import export_run, import_fleets
from orchestrator.errors import UsageError
from orchestrator.model.plan.commands import HoldCommand
from orchestrator.model.plan.plan import Limits
from orchestrator.model.plan.settings import settings_of
from orchestrator.model.record import record as r
from orchestrator.tracker.folder.state_folder import FolderState
from orchestrator.tracker.runs.recovery import recover

if TYPE_CHECKING:
    from fakes.postgres_server import Server

TARGETS = make_targets(3)
PLAN = make_plan(TARGETS)
KEY = TARGETS[0].proxy_id
HOLD = HoldCommand(at=BEGIN, user="ann", note="wait")
RECORDS: list[r.Record] = [
    r.Intent(at=BEGIN, target=KEY, attempt=1, wave="rest", token="t", source_version=OLD, target_version=NEW),
    r.AnswerMissing(at=BEGIN, target=KEY, attempt=1),
]


def test_a_run_goes_into_the_database_and_back_and_is_the_same(postgres: "Server", tmp_path: Path) -> None:
    old, back = FolderState(tmp_path / "old"), FolderState(tmp_path / "back")
    fleet = old.fleet("prod", writes=True)
    run = fleet.begin(PLAN, TARGETS, run_started(3))
    with closing(run.resume(2)) as journal:
        journal.append(RECORDS)
    run.save_settings(settings_of(replace(PLAN, limits=Limits(concurrency=77))))
    fleet.give(HOLD)
    state = state_in(postgres.new_database(), tmp_path / "reports")
    with closing(state.seat.database):
        assert list(import_fleets(old, state, BEGIN)) == [("prod", 1)]
        assert list(import_fleets(old, state, BEGIN)) == [("prod", 0)]
        assert state.fleet("prod").inbox().new() == [(1, HOLD)]
        there = recover(state.fleet("prod").runs()[0])
        assert there.in_force.limits.concurrency == 77
        export_run(state, RUN_ID, back, BEGIN)
        with pytest.raises(UsageError, match="is there already"):
            export_run(state, RUN_ID, back, BEGIN)
        with pytest.raises(UsageError, match="there is no run"):
            export_run(state, "20260101T000000000Z-aaaaaa", back, BEGIN)
    assert back.fleet("prod").runs()[0].plan() == PLAN
    for name in ("targets.ndjson", "journal.ndjson"):
        written = tmp_path / "back/prod/runs" / RUN_ID / name
        assert written.read_bytes() == (tmp_path / "old/prod/runs" / RUN_ID / name).read_bytes()
