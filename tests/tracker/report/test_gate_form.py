"""What a report says of gates: where each stands, how often it was closed, and for how long."""

from datetime import timedelta

import jsonschema
import msgspec
from fakes.clock import START
from fakes.gates import KeptGates
from fakes.rollouts import stage_of
from fakes.stage import fold_all

from orchestrator.model.plan.health_gate import HealthGate
from orchestrator.tracker.report.build import Story, build_report
from orchestrator.tracker.report.json_form import report_chunks as json_chunks
from orchestrator.tracker.report.page.render import report_chunks as page_chunks
from orchestrator.tracker.report.schema import report_schema
from orchestrator.tracker.report.text_form import text_lines


def story(closed_s: float) -> Story:
    """A run whose gate fails for the first seconds, and opens after two good answers."""
    stage = stage_of(2, gates=(HealthGate(name="orders", command=("check",)),))
    stage.gates = KeptGates(lambda _gate, at: "fails" if (at - START).total_seconds() < closed_s else "passes")
    return build_report(stage.play().run, stage.plan)


def test_a_gate_that_was_closed_says_for_how_long_in_every_form() -> None:
    told = story(closed_s=300.0)
    report = msgspec.json.decode(b"".join(json_chunks(told)))
    jsonschema.validate(report, report_schema())
    [gate] = report["gates"]
    assert (gate["state"], gate["closed_times"]) == ("open", 1)
    assert 300 <= gate["closed_seconds"] < 400
    assert ", closed 1 time, 6 min in all; passes: orders passes" in "\n".join(text_lines(told))
    page = b"".join(page_chunks(told)).decode()
    assert '<h2 id="h-gates">Gates</h2>' in page
    assert "closed 1 time, 6 min in all" in page


def test_a_gate_that_never_closed_says_so() -> None:
    told = story(closed_s=0.0)
    assert [(each.closed_times, each.closed_seconds) for each in told.head.gates or ()] == [(0, 0.0)]
    assert "never closed; passes" in "\n".join(text_lines(told))


def test_beside_a_living_process_the_time_is_that_of_the_latest_minute() -> None:
    """A gate that says the same for an hour: at each instant of it the journal shows how long that has been."""
    stage = stage_of(2, gates=(HealthGate(name="orders", command=("check",), every_s=30.0),))
    stage.gates = KeptGates(lambda _gate, _at: "fails")
    played = stage.play()
    for minutes in (5, 17, 59):
        now = START + timedelta(minutes=minutes)
        until = fold_all(stage.plan, [record for record in played.records if record.at <= now])
        [gate] = list(build_report(until, stage.plan).head.gates or ())
        assert 60 * minutes - 90 - 1 <= gate.closed_seconds <= 60 * minutes
