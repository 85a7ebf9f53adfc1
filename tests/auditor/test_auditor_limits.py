"""The auditor finds who changed which limits in the journal, and a report that says otherwise."""

import json
from pathlib import Path
from typing import Any

from auditor.audit import examine
from auditor.journal import Book, read_book
from fakes.rollouts import stage_of
from fakes.stage import later

from orchestrator.executor.dispatch import Dispatcher
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.limit_change import LimitChange
from orchestrator.model.record.record import LimitsChanged
from orchestrator.tracker.journal.line import encode_lines
from orchestrator.tracker.report.build import build_report
from orchestrator.tracker.report.json_form import report_chunks


def played(folder: Path) -> tuple[Any, Book]:
    """Report and journal of a run in which a person changed limits, and took that back."""
    stage = stage_of(2)

    async def change(dispatcher: Dispatcher) -> None:
        limits = LimitChange(rate=2.5, in_flight=Amount(50, percent=True), per_window=1_000)
        for number, asked in enumerate((limits, LimitChange()), 1):
            await dispatcher.session.ledger.record(
                LimitsChanged(
                    at=dispatcher.session.clock.now(), limits=asked, by="ann", host="desk", note="busy", command=number
                )
            )

    stage.script = (later(1.0, change),)
    run = stage.play()
    (folder / "journal.ndjson").write_bytes(encode_lines(run.records, 1))
    report = json.loads(b"".join(report_chunks(build_report(run.run, stage.plan, exit_code=run.code))))
    return report, read_book(folder / "journal.ndjson")


def test_who_changed_limits_stands_in_the_report_as_in_the_journal(tmp_path: Path) -> None:
    report, book = played(tmp_path)
    assert [act["did"] for act in report["run"]["people"]][1:] == [
        "changed limits: rate=2.5/s in_flight=50% per_window=1000",
        "let the limits of the plan hold again",
    ]
    assert examine(report, book) == []


def test_limits_that_nobody_changed_are_found(tmp_path: Path) -> None:
    report, book = played(tmp_path)
    report["run"]["people"][1]["did"] = "changed limits: rate=9/s"
    assert any("run.people" in problem for problem in examine(report, book))
