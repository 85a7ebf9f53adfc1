"""A report that sets a target aside is believed when its line is there, and claims nothing more of it."""

import json
from typing import Any

import pytest
from auditor.audit import examine
from auditor.journal import read_book
from fakes.stage import Stage, plan_of, targets_of

from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import Record, Settled
from orchestrator.model.run import fold, run
from orchestrator.tracker.journal.line import encode_lines
from orchestrator.tracker.report.build import build_report
from orchestrator.tracker.report.json_form import report_chunks

KEY = f"{1:032x}po01"


def report_and_book(kind: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, *, decided: bool = False) -> Any:
    """Of a run in which one record of one target cannot be applied."""

    def throws_for_one(of: Any, state: Any, record: Record) -> None:
        if state.key == KEY and record.__struct_config__.tag == kind:
            raise KeyError(kind)
        fold.fold(of, state, record)

    monkeypatch.setattr(run, "fold", throws_for_one)
    stage = Stage(plan=plan_of(targets_of(3)), cloud_of=lambda _cloud: None)
    played = stage.play()
    if decided:
        settled = Settled(at=played.ended_at, target=KEY, outcome=Outcome.FAILED, reason="seen", settled_by="ann")
        played.run.apply(settled)
        played.records.append(settled)  # the session had ended: of the run as a whole more would be amiss
    path = tmp_path / "journal.ndjson"
    path.write_bytes(encode_lines(played.records, 1))
    return json.loads(b"".join(report_chunks(build_report(played.run, stage.plan)))), read_book(path)


@pytest.mark.parametrize("kind", ["preflight_done", "intent", "answer_seen", "job_seen", "settled"])
def test_a_target_that_is_set_aside_is_no_claim_without_a_line(
    kind: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert examine(*report_and_book(kind, tmp_path, monkeypatch)) == []


def test_a_person_may_decide_it(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    report, book = report_and_book("job_seen", tmp_path, monkeypatch, decided=True)
    assert [problem for problem in examine(report, book) if KEY in problem] == []


@pytest.mark.parametrize(
    "lie", [{"outcome": "succeeded"}, {"workflow_ids": ["made up"]}, {"reason": "the record wave cannot be applied: x"}]
)
def test_more_than_that_is_a_claim(lie: dict[str, Any], tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    report, book = report_and_book("job_seen", tmp_path, monkeypatch)
    next(target for target in report["targets"] if target["proxy_id"] == KEY).update(lie)
    assert any(problem.startswith(KEY) for problem in examine(report, book))
