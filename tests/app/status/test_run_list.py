"""All runs of a fleet, a line each."""

from contextlib import closing

from fakes.memory_state import MemoryState
from fakes.recorded import BEGIN, RUN_ID, make_plan, make_targets, run_started

from orchestrator.app.status.run_list import run_lines
from orchestrator.model import record as r
from orchestrator.model.outcome import Outcome

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
    return list(run_lines(fleet))


def test_the_latest_run_stands_first_with_its_state_and_its_outcomes() -> None:
    head, latest, first = lines(settled(A, Outcome.SUCCEEDED), settled(B, Outcome.FAILED), r.RunEnded(at=BEGIN))
    assert head.split()[:2] == ["RUN", "BEGAN"]
    assert latest.split()[0] == LATER
    assert "completed" in latest
    assert latest.endswith("1 succeeded, 1 failed, 1 without outcome")
    assert first.split()[0] == RUN_ID
    assert first.endswith("unfinished  3        2.24.03.000  3 without outcome")


def test_the_last_word_on_a_proxy_counts() -> None:
    again = settled(A, Outcome.SUCCEEDED)
    assert lines(settled(A, Outcome.FAILED), again)[1].endswith("1 succeeded, 2 without outcome")
    sick = r.Reverified(at=BEGIN, target=A, healthy=False, finding="a node is down")
    assert lines(again, sick)[1].endswith("1 failed, 2 without outcome")
