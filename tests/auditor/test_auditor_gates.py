"""The auditor finds what a report says of gates, and the journal does not."""

import json
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from auditor.audit import examine
from auditor.journal import Book, read_book
from fakes.clock import START
from fakes.gates import KeptGates
from fakes.rollouts import stage_of
from fakes.stage import resume
from fakes.written import written
from msgspec.structs import replace

from orchestrator.model.plan.health_gate import HealthGate
from orchestrator.tracker.report.build import build_report


@cache
def files() -> tuple[bytes, bytes]:
    """A gate that is closed in one session, and opens in the next one, a day later."""
    asked = KeptGates(lambda _gate, at: "fails" if at < START + timedelta(days=1, minutes=5) else "passes")
    stage = stage_of(4, gates=(HealthGate(name="orders", command=("check",)),))
    stage.gates = asked
    played = stage.play()
    again = resume(stage, played, after=timedelta(days=1) - timedelta(hours=1)).play()
    plan = stage.plan
    return written(again, plan)


def problems(report: Any, book: Book) -> list[str]:
    return [problem for problem in examine(report, book) if "gate" in problem]


def test_a_true_report_is_believed(report: Any, book: Book) -> None:
    [gate] = report["gates"]
    assert (gate["state"], gate["closed_times"]) == ("open", 1)
    assert 3600 + 300 <= gate["closed_seconds"] < 3600 + 600, "an hour of the first session, and minutes of the next"
    assert problems(report, book) == []


@pytest.mark.parametrize(
    "key", ["state", "since", "closed_times", "closed_seconds", "answer", "status", "value", "evidence"]
)
def test_what_the_journal_does_not_say_is_found(report: Any, book: Book, key: str) -> None:
    value = report["gates"][0][key]
    report["gates"][0][key] = "never" if isinstance(value, str) else (value or 0) + 1
    assert problems(report, book) != []


def test_a_gate_that_the_plan_names_no_more_is_not_closed_any_longer(tmp_path: Path) -> None:
    stage = stage_of(4, gates=(HealthGate(name="orders", command=("check",)),))
    stage.gates = KeptGates(lambda _gate, _at: "fails")
    played = stage.play()
    plan = replace(stage.plan, gates=())
    again = resume(stage, played, plan=plan).play()
    told, lines = written(again, plan)
    report = json.loads(told)
    before = build_report(played.run, plan).head.gates
    assert report["gates"][0]["closed_seconds"] == pytest.approx(next(each.closed_seconds for each in before or ()))
    journal = tmp_path / "journal.ndjson"
    journal.write_bytes(lines)
    assert problems(report, read_book(journal)) == []


def test_a_gate_that_is_left_out_is_found(report: Any, book: Book) -> None:
    report["gates"].clear()
    assert problems(report, book) != []
