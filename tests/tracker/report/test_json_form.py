"""The report as a file: whole, private, streamed, or not there at all."""

import json
from pathlib import Path

import pytest
from fakes.plausible import PlausibleRun
from fakes.recorded import empty_run, make_plan, make_targets, run_started

from orchestrator.errors import StateError
from orchestrator.tracker.report.build import build_report
from orchestrator.tracker.report.json_form import report_chunks, write_report
from orchestrator.tracker.report.schema import report_schema


def test_the_file_is_written_whole_private_and_one_target_a_line(tmp_path: Path) -> None:
    live = PlausibleRun(6, count=5).steps(60)
    story = write_report(live.run, live.plan, tmp_path / "report.json", exit_code=1)
    content = (tmp_path / "report.json").read_text()
    assert json.loads(content)["run"]["exit_code"] == story.head.run.exit_code == 1
    assert len(list(story.targets)) == 5
    assert sum(line.startswith('    {"scope":') for line in content.splitlines()) == 5
    assert (tmp_path / "report.json").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_more_targets_than_a_chunk_are_all_there() -> None:
    targets = make_targets(2500)
    plan = make_plan(targets)
    run = empty_run(plan, targets)
    run.apply(run_started(2500))
    chunks = list(report_chunks(build_report(run, plan)))
    assert len(json.loads(b"".join(chunks))["targets"]) == 2500
    assert max(map(len, chunks)) < len(b"".join(chunks)) / 2


def test_a_failed_write_leaves_the_old_report_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.mkdir()
    live = PlausibleRun(6).steps(20)
    with pytest.raises(StateError, match=r"report\.json: cannot write"):
        write_report(live.run, live.plan, path)
    assert list(tmp_path.iterdir()) == [path]


def test_the_schema_explains_every_part() -> None:
    parts = report_schema()["$defs"]
    assert set(parts) >= {"Report", "RunReport", "TargetReport", "AttemptReport", "Entry"}
    assert all(part.get("description") for part in parts.values())
