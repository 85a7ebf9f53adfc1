"""What keeps a start from starting anything: doubt, slots that stuck targets hold, and a hold that is due at once."""

from typing import Any

import pytest
from fakes.clock import START
from fakes.stage import fold_all, plan_of, targets_of
from msgspec.structs import replace

from orchestrator.app.preview.standstill import at_work, standstill
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Failures, Limits, Wave
from orchestrator.model.plan.target import Target
from orchestrator.model.record import record as r
from orchestrator.model.record.outcome import Outcome
from orchestrator.planner.next_run import Asked, Past, Standstill, beginning
from orchestrator.planner.preview.start_state import redo_command

TARGETS = targets_of(4, per_instance=4)
FIRST, SECOND, *_ = TARGETS
SOFT = Failures(max=Amount(100, percent=True), max_rejected=Amount(100, percent=True), mode="soft")
NO_MORE = Failures(max=Amount(1), max_rejected=Amount(1))
BEGAN = (
    r.SessionStarted(at=START, number=1, pid=1, host="h", orchestrator_version="1"),
    r.WaveOpened(at=START, wave="all"),
)
ASKED = Asked(named="p.yaml")
DOUBT = "evidence of what became of 1 attempt, whose doubt period ends at 2026-03-01 22:15:00 UTC, in 15 min; do: "


def sent(target: Target) -> r.Intent:
    return r.Intent(
        at=START, target=target.proxy_id, attempt=1, wave="all", token="t", source_version="1", target_version="2"
    )


def doubted(target: Target) -> r.AnswerSeen:
    return r.AnswerSeen(at=START, target=target.proxy_id, attempt=1, verdict="in_doubt")


def ended(target: Target, outcome: Outcome) -> r.Settled:
    return r.Settled(at=START, target=target.proxy_id, attempt=1, outcome=outcome, wave="all")


def found(*records: r.Record, **plan: Any) -> Standstill | None:
    """What stands in the way of a start that comes after these records."""
    now = plan_of(TARGETS, **{"waves": (Wave(name="all"),), "failures": SOFT, **plan})
    before = plan_of(TARGETS, waves=(Wave(name="all"),), failures=SOFT)
    return standstill(now, fold_all(before, (*BEGAN, *records)), ASKED, START, {})


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        (Limits(ramp=True, per_instance=9), DOUBT),
        (Limits(in_flight=Amount(1), ramp=False, per_instance=9), DOUBT),
        (Limits(ramp=False), f"per_instance 1 of instance {FIRST.instance_id} (held by {FIRST.proxy_id}: in_doubt)"),
    ],
)
def test_nothing_starts_while_doubt_holds_the_last_slot(limits: Limits, says: str) -> None:
    still = found(sent(FIRST), doubted(FIRST), limits=limits)
    assert still is not None
    assert (says in still.words, still.passes) == (True, False), still.words


def test_what_is_under_way_frees_its_slot() -> None:
    assert found(sent(FIRST), limits=Limits(ramp=False)) is None
    assert found(sent(FIRST), sent(SECOND), doubted(SECOND), limits=Limits(in_flight=Amount(1))) is None


def test_doubt_beside_free_slots_keeps_nothing_back() -> None:
    assert found(sent(FIRST), doubted(FIRST), limits=Limits(ramp=False, per_instance=9)) is None


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        (Outcome.FAILED, "2 failures, 1 allowed for the fleet"),
        (Outcome.REJECTED, "2 rejected, 1 allowed for the fleet"),
    ],
)
def test_a_budget_that_was_lowered_meanwhile_holds_a_start_at_once(outcome: Outcome, says: str) -> None:
    records = [record for each in (FIRST, SECOND) for record in (sent(each), ended(each, outcome))]
    assert found(*records) is None
    still = found(*records, failures=NO_MORE)
    assert still is not None
    assert still.words == (
        f"a start holds the fleet at once: {says}; after that: "
        'look at the cause, then orchestrator release p.yaml --note "why"'
    )
    assert not still.passes


def test_what_counts_as_harm_is_counted_as_the_plan_says_now() -> None:
    records = (sent(FIRST), ended(FIRST, Outcome.MISMATCH))
    strict = Failures(max=Amount(0), counts=("failed",))
    assert found(*records, failures=strict) is None
    assert found(*records, failures=Failures(max=Amount(0))) is not None


def test_beside_a_process_it_is_said_what_that_one_waits_for() -> None:
    plan = plan_of(TARGETS, waves=(Wave(name="all"),), failures=SOFT)
    opened = r.ScopeOpened(at=START, scope="default")
    still = at_work(plan, fold_all(plan, (*BEGAN, opened, sent(FIRST), doubted(FIRST))), ASKED, START)
    assert still == Standstill(f"the process at work waits for: {DOUBT}nothing", passes=False)


def test_beside_a_process_that_has_reached_no_scope_yet_that_is_said() -> None:
    plan = plan_of(TARGETS, waves=(Wave(name="all"),), failures=SOFT)
    still = at_work(plan, fold_all(plan, (*BEGAN, sent(FIRST), doubted(FIRST))), ASKED, START)
    assert still.words == "the process at work waits for: scope default: it has not been reached yet; do: nothing"


def test_what_failed_before_an_unfinished_run_begins_again_with_new() -> None:
    plan = plan_of(TARGETS, waves=(Wave(name="all"),), failures=SOFT)
    last = {FIRST.proxy_id: (Outcome.FAILED, plan.target_version)}
    for ended, new in ((True, ""), (False, " --new")):
        run = fold_all(plan, (*BEGAN, *([r.RunEnded(at=START)] if ended else [])))
        coming = beginning(plan, TARGETS, Past(run_id="r", run=run, last=last), Asked(new=True))
        named = replace(coming, named="p.yaml")
        assert redo_command(plan, named) == f"orchestrator run p.yaml{new} --only-outcome failed"
