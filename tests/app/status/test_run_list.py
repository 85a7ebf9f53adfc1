"""All runs of a fleet, a line each."""

import json
from contextlib import closing
from datetime import timedelta

import jsonschema
import msgspec
import pytest
from fakes.memory_state import MemoryState
from fakes.recorded import BEGIN, RUN_ID, make_plan, make_targets, run_started

from orchestrator.app.status.run_list import brief, run_entry, run_lines, runs_schema
from orchestrator.model.plan.limit_change import LimitChange
from orchestrator.model.record import record as r
from orchestrator.model.record.outcome import Outcome

TARGETS = make_targets(3)
A, B, _ = (target.proxy_id for target in TARGETS)
LATER = "20260302T220000000Z-abcdef"


def settled(proxy_id: str, outcome: Outcome) -> r.Settled:
    return r.Settled(at=BEGIN, target=proxy_id, wave="all", outcome=outcome, reason=None)


def lines(*records: r.Record) -> list[str]:
    """The table of a fleet with an empty run and, after it, a run with these records."""
    fleet = MemoryState().fleet("prod", writes=True)
    fleet.begin(make_plan(TARGETS), TARGETS, run_started(3, run_id=RUN_ID))
    later = fleet.begin(make_plan(TARGETS), TARGETS, run_started(3, run_id=LATER))
    with closing(later.resume(2)) as journal:
        journal.append(records)
    return list(run_lines([brief(run) for run in reversed(fleet.runs())]))


def test_the_latest_run_stands_first_with_its_state_and_its_outcomes() -> None:
    head, latest, first = lines(settled(A, Outcome.SUCCEEDED), settled(B, Outcome.FAILED), r.RunEnded(at=BEGIN))
    assert head.split()[:2] == ["RUN", "BEGAN"]
    assert latest.split()[0] == LATER
    assert "completed" in latest
    assert latest.endswith("1 succeeded, 1 failed, 1 without outcome")
    assert first.split()[0] == RUN_ID
    assert first.endswith("unfinished  3        2.24.03.000  -   3 without outcome")


def test_a_redo_shows_its_own_targets_beside_those_that_keep_their_outcome() -> None:
    kept = [
        r.OutcomeKept(at=BEGIN, target=key, outcome=Outcome.ALREADY, position=0, entry=msgspec.Raw(b"{}"))
        for key in ("c", "d")
    ]
    latest = lines(*kept, *(settled(target.proxy_id, Outcome.SUCCEEDED) for target in TARGETS))[1]
    assert " 3 of 5 " in latest
    assert latest.endswith("3 succeeded; kept: 2 already")


def test_what_programs_read_is_as_the_schema_says_it() -> None:
    fleet = MemoryState().fleet("prod", writes=True)
    fleet.begin(make_plan(TARGETS), TARGETS, run_started(3, run_id=RUN_ID))
    later = fleet.begin(make_plan(TARGETS), TARGETS, run_started(3, run_id=LATER))
    kept = r.OutcomeKept(at=BEGIN, target="c", outcome=Outcome.ALREADY, position=0, entry=msgspec.Raw(b"{}"))
    with closing(later.resume(2)) as journal:
        journal.append([kept, settled(A, Outcome.SUCCEEDED), HELD])
    printed = json.loads(msgspec.json.encode([run_entry(brief(run)) for run in reversed(fleet.runs())]))
    jsonschema.validate(printed, runs_schema())
    assert [run["state"] for run in printed] == ["held", "unfinished"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate([{**printed[0], "state": "lost"}], runs_schema())


def test_who_started_its_sessions_and_handed_the_fleet_over_is_said() -> None:
    sessions = [
        r.SessionStarted(at=BEGIN, number=number, pid=1, host="vm", orchestrator_version="1", user=user)
        for number, user in enumerate(("root", "ann", "root"), 1)
    ]
    claim = r.FleetClaimed(
        at=BEGIN, before="/old.yaml", after="/new.yaml", by="ann", host="vm", since=BEGIN, command=1, step="command"
    )
    _head, latest, claimed, _first = lines(*sessions, claim)
    assert " root@vm, ann@vm " in latest
    assert claimed.endswith("handed the fleet over from /old.yaml to /new.yaml, by ann@vm")


def test_the_last_word_on_a_proxy_counts() -> None:
    again = settled(A, Outcome.SUCCEEDED)
    assert lines(settled(A, Outcome.FAILED), again)[1].endswith("1 succeeded, 2 without outcome")
    sick = r.Reverified(at=BEGIN, target=A, healthy=False, finding="a node is down")
    assert lines(again, sick)[1].endswith("1 failed, 2 without outcome")


HELD = r.HoldSet(at=BEGIN, cause="failures", reason="1 failure")
APPROVES = r.HoldSet(at=BEGIN, cause="approval", reason="waits", wave="rest")


@pytest.mark.parametrize(
    ("records", "state"),
    [
        ([HELD], "held"),
        ([HELD, r.RunEnded(at=BEGIN)], "held"),
        ([HELD, r.HoldReleased(at=BEGIN, by="ann", note="seen")], "unfinished"),
        ([APPROVES, r.WaveApproved(at=BEGIN, wave="rest", by="ann", note="go")], "unfinished"),
        ([HELD, r.WaveApproved(at=BEGIN, wave="rest", by="ann", note="go")], "held"),
    ],
)
def test_a_held_run_is_called_so(records: list[r.Record], state: str) -> None:
    assert lines(*records)[1].split()[3] == state


def test_who_changed_its_limits_is_said() -> None:
    change = r.LimitsChanged(at=BEGIN, limits=LimitChange(rate=5.0), by="ann", host="desk", note="slow", command=1)
    again = r.LimitsChanged(at=BEGIN, limits=LimitChange(), by="ann", host="desk", note="fast", command=2)
    _head, _latest, changed, back, _first = lines(change, again)
    assert changed.endswith("changed limits: rate=5/s, by ann@desk")
    assert back.endswith("let the limits of the plan hold again, by ann@desk")


def test_limits_that_an_earlier_run_brought_along_are_no_act_of_this_one() -> None:
    asked = BEGIN - timedelta(days=1)
    brought = r.LimitsChanged(at=BEGIN, limits=LimitChange(rate=5.0), by="ann", note="slow", since=asked)
    assert not any("limits" in line for line in lines(brought))


def test_programs_are_told_the_same_as_the_table_says() -> None:
    fleet = MemoryState().fleet("prod", writes=True)
    run = fleet.begin(make_plan(TARGETS), TARGETS, run_started(3, run_id=RUN_ID))
    with closing(run.resume(2)) as journal:
        journal.append((settled(A, Outcome.SUCCEEDED), settled(B, Outcome.FAILED)))
    entry = run_entry(brief(run))
    assert (entry.run_id, entry.state, entry.started_at) == (RUN_ID, "unfinished", BEGIN)
    assert (entry.targets, entry.outcomes, entry.without_outcome) == (3, {"succeeded": 1, "failed": 1}, 1)
    assert (entry.kept, entry.people, entry.acts) == ({}, [], [])
