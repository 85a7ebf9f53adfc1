"""The status of a fleet for programs says what the lines for people say, and follows its schema."""

import json
from typing import Any

import jsonschema
import msgspec
import pytest
from fakes.memory_state import MemoryState
from fakes.recorded import BEGIN, NEW, OLD, RUN_ID, make_plan, make_targets, run_started

from orchestrator.app.status.document import StatusDocument, first_document, fleet_document, status_schema
from orchestrator.errors import UsageError
from orchestrator.model.plan.commands import HoldCommand
from orchestrator.model.plan.target import Target
from orchestrator.model.record import record as r
from orchestrator.model.record.outcome import Outcome
from orchestrator.tracker.report import target as module
from orchestrator.tracker.report.target import target_report
from orchestrator.tracker.runs.recovery import recover

TARGETS = make_targets(3)
PLAN = make_plan(TARGETS)
NAMED = "/p/prod.yaml --state /s"
A, B, C = (target.proxy_id for target in TARGETS)
HOLD = HoldCommand(at=BEGIN, user="ann", note="incident 4711", host="ops1")
SCHEMA = jsonschema.Draft202012Validator(status_schema())


def intent(key: str) -> r.Intent:
    return r.Intent(at=BEGIN, target=key, attempt=1, wave="rest", token="t", source_version=OLD, target_version=NEW)


def settled(key: str, outcome: Outcome) -> r.Settled:
    return r.Settled(at=BEGIN, target=key, attempt=1, outcome=outcome, wave="rest")


def plain(document: StatusDocument) -> dict[str, Any]:
    """The document as a program gets it, held against its schema."""
    told: dict[str, Any] = json.loads(msgspec.json.encode(document))
    SCHEMA.validate(told)
    return told


def status(*records: r.Record, proxy_id: str = "", held: bool = False) -> dict[str, Any]:
    """Of a fleet whose only run has these records."""
    fleet = MemoryState().fleet("prod", writes=True)
    run = fleet.begin(PLAN, TARGETS, run_started(3, run_id=RUN_ID))
    if records:
        run.resume(2).append(records)
    if held:
        fleet.give(HOLD)
    return plain(fleet_document(recover(run), PLAN, BEGIN, NAMED, proxy_id))


def test_a_fleet_that_waits_says_for_what_and_what_to_do() -> None:
    told = status(settled(A, Outcome.SUCCEEDED))
    assert (told["schema"], told["run"]["run_id"], told["worker"]) == ("orchestrator.status/1", RUN_ID, None)
    assert (told["waiting"], told["under_way"]) == (2, 0)
    assert told["totals"]["outcomes"] == {"succeeded": 1, "waiting": 2}
    assert told["waits_for"]["next_step"].endswith(f"orchestrator run {NAMED}")


def test_what_a_person_asked_for_counts_before_it_is_read() -> None:
    told = status(held=True)
    assert told["waits_for"]["cause"] == "hold"
    assert told["asked"] == [
        {"command": "hold", "at": "2026-03-01T22:00:00Z", "by": "ann@ops1", "note": "incident 4711"}
    ]


def test_a_fleet_without_a_run_is_described_too() -> None:
    fleet = MemoryState().fleet("prod", writes=True)
    fleet.give(HOLD)
    told = plain(first_document(fleet, PLAN, BEGIN, NAMED))
    assert (told["run"], told["waits_for"]["cause"]) == (None, "hold")


def test_a_proxy_is_described_with_what_it_waits_for() -> None:
    told = status(intent(B), proxy_id=C)
    assert told["target"]["proxy_id"] == C
    assert told["target_waits_for"]["cause"] not in (None, "nothing")


def test_a_proxy_that_has_its_outcome_waits_for_nothing() -> None:
    told = status(settled(A, Outcome.FAILED), proxy_id=A)
    assert told["target"]["outcome"] == "failed"
    assert told["target_waits_for"]["cause"] == "nothing"
    assert told["target_waits_for"]["next_step"].endswith(
        f"when the run has ended, redo it with --only-outcome failed; until then: orchestrator run {NAMED}"
    )


def test_an_attempt_in_doubt_is_not_counted_as_an_upgrade_under_way() -> None:
    doubt = r.AnswerSeen(at=BEGIN, target=B, attempt=1, verdict="in_doubt")
    told = status(intent(A), intent(B), doubt)
    assert (told["under_way"], told["in_doubt"]) == (1, 1)


def test_a_proxy_that_the_run_does_not_know_is_no_target() -> None:
    with pytest.raises(UsageError, match="is no target of run") as caught:
        status(proxy_id="nix")
    assert caught.value.hint == "orchestrator report PLAN --format text lists its targets"


def test_the_beginning_of_an_id_is_answered_with_the_id() -> None:
    with pytest.raises(UsageError) as caught:
        status(proxy_id=TARGETS[1].proxy_id[:-3])
    assert caught.value.hint == f"did you mean {TARGETS[1].proxy_id}?"


def test_of_a_fleet_of_many_only_the_proxy_that_was_asked_for_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    described: list[str] = []

    def counted(target: Target, *rest: Any) -> Any:
        described.append(target.proxy_id)
        return target_report(target, *rest)

    monkeypatch.setattr(module, "target_report", counted)
    assert status(intent(B), proxy_id=C)["target"]["outcome"] == "waiting"
    assert described == [C]
