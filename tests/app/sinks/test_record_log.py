"""One log line per record, with a name and keys."""

import io
import json
from typing import Any, get_args

import pytest
from fakes.plausible import PlausibleRun
from fakes.recorded import BEGIN, run_started

from orchestrator.app.sinks.record_log import _EVENTS, RecordLog
from orchestrator.log import Level, open_log
from orchestrator.model.record import record as r
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import Record


def logged(*records: Record, level: Level = "debug") -> list[dict[str, Any]]:
    stderr = io.StringIO()
    log = RecordLog(open_log(lambda: BEGIN, level=level, form="json", stderr=stderr))
    for record in records:
        log.take(record)
    return [json.loads(line) for line in stderr.getvalue().splitlines()]


def test_every_record_has_its_event() -> None:
    assert set(_EVENTS) == set(get_args(Record))
    names = [name for name, _ in _EVENTS.values()]
    assert len(set(names)) == len(names)


def test_any_run_is_logged_one_line_a_record() -> None:
    records = PlausibleRun(11).steps(150).records
    assert len(logged(*records)) == len(records)


def test_a_line_has_name_level_instant_and_keys() -> None:
    settled = r.Settled(at=BEGIN, target="p", outcome=Outcome.SUCCEEDED, wave="canary", command=3)
    lines = logged(settled)
    assert list(lines[0])[:3] == ["timestamp", "level", "event"], "what is looked for first stands first"
    assert lines == [
        {
            "event": "target.settled",
            "level": "info",
            "timestamp": "2026-03-01T22:00:00.000Z",
            "target": "p",
            "outcome": "succeeded",
            "wave": "canary",
        }
    ]


@pytest.mark.parametrize(
    ("record", "level"),
    [
        (r.Settled(at=BEGIN, target="p", outcome=Outcome.ALREADY), "info"),
        (r.Settled(at=BEGIN, target="p", outcome=Outcome.FAILED), "warning"),
        (r.DoubtRemains(at=BEGIN, target="p", why="?"), "warning"),
        (r.AnswerSeen(at=BEGIN, target="p", verdict="in_doubt"), "warning"),
        (r.AnswerSeen(at=BEGIN, target="p", verdict="accepted"), "info"),
        (r.GateAnswered(at=BEGIN, gate="g", answer="fails", open=False), "warning"),
        (r.GateAnswered(at=BEGIN, gate="g", answer="fails", open=False, again=True), "debug"),
        (r.HoldSet(at=BEGIN, cause="person", reason="asked for"), "error"),
        (r.ScopeUsed(at=BEGIN, scope="s", calls=0, throttled=0, rate_limit=None, seconds=0.0), "debug"),
    ],
)
def test_levels_tell_how_bad_it_is(record: Record, level: str) -> None:
    assert logged(record)[0]["level"] == level


def test_what_is_below_the_level_is_dropped() -> None:
    assert logged(run_started(3), level="error") == []
