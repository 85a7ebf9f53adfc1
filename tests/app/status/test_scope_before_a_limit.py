"""A scope that cannot be used is named before what goes on by itself, when it keeps most of those back that wait."""

from datetime import timedelta

import pytest
from fakes.clock import START
from fakes.stage import fold_all, plan_of, targets_of
from msgspec import structs

from orchestrator.app.status.outlook import Outlook, look
from orchestrator.app.status.what_next.last_line import fleet_line, next_step
from orchestrator.executor.decide.waits import Cause
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Failures, Limits, Wave
from orchestrator.model.record import record as r
from orchestrator.model.record.outcome import Outcome

PLAN = "/plans/fleet.yaml"
REPAIR = f"repair what the reason names, then orchestrator run {PLAN}"
GIVEN_UP = r.ScopeGivenUp(at=START, scope="bad", why="HTTP 401")
THROTTLED = r.ScopeThrottled(at=START, scope="bad", until=START + timedelta(minutes=5), why="429")


def _seen(*records: r.Record, bad: int, waiting: int = 2, working: bool = True) -> Outlook:
    """One upgrade under way in scope good, which fills in_flight 1; more wait there, and some in scope bad."""
    scopes = ["good"] * waiting + ["bad"] * bad
    targets = [structs.replace(each, scope=name) for each, name in zip(targets_of(len(scopes)), scopes, strict=True)]
    plan = plan_of(
        targets,
        waves=(Wave(name="one"),),
        failures=Failures(max=Amount(100, percent=True), mode="soft"),
        limits=Limits(in_flight=Amount(1), ramp=False),
    )
    sent = r.Intent(
        at=START,
        target=targets[0].proxy_id,
        attempt=1,
        wave="one",
        token="t",
        source_version="1",
        target_version="2",
    )
    reached = (r.ScopeOpened(at=START, scope="good"), r.ScopeOpened(at=START, scope="bad"))
    began = r.SessionStarted(at=START, number=1, pid=1, host="h", orchestrator_version="1")
    run = fold_all(plan, (began, *reached, r.WaveOpened(at=START, wave="one"), sent, *records))
    return look(plan, run, (), START, working=working)


@pytest.mark.parametrize(
    ("bad", "working", "cause"),
    [
        (8, True, Cause.GIVEN_UP),
        (8, False, Cause.LAST_SEEN),
        (1, True, Cause.LIMIT),
        (1, False, Cause.LAST_SEEN),
    ],
    ids=["most", "most-no-process", "fewest", "fewest-no-process"],
)
def test_a_given_up_scope_is_named_before_a_limit(bad: int, working: bool, cause: Cause) -> None:
    seen = _seen(GIVEN_UP, bad=bad, waiting=4, working=working)
    assert seen.fleet().cause is cause
    assert next_step(seen, PLAN) == ("nothing" if cause is Cause.LIMIT else REPAIR)
    if cause is not Cause.LIMIT:
        words = fleet_line(seen, PLAN)
        assert "scope bad" in words
        assert "HTTP 401" in words
        assert "1 upgrade" in words


def test_without_anything_under_way_the_next_start_would_come_to_the_same_end() -> None:
    first = targets_of(1)[0].proxy_id
    settled = r.Settled(at=START, target=first, attempt=1, outcome=Outcome.SUCCEEDED, wave="one")
    seen = _seen(GIVEN_UP, settled, bad=1, waiting=4, working=False)
    assert seen.fleet().cause is Cause.LAST_SEEN


def test_a_scope_in_which_most_wait_is_named_whatever_keeps_it_shut() -> None:
    assert _seen(THROTTLED, bad=8).fleet().cause is Cause.THROTTLED
    assert _seen(THROTTLED, bad=1, waiting=4).fleet().cause is Cause.LIMIT
    assert _seen(bad=8).fleet().cause is Cause.LIMIT


def test_what_holds_all_back_is_named_before_a_scope_that_was_given_up() -> None:
    held = r.HoldSet(at=START, cause="person", reason="incident", by="ann", host="desk")
    assert _seen(GIVEN_UP, held, bad=8).fleet().cause is Cause.HOLD


def test_a_target_waits_for_its_own_scope_and_not_for_another() -> None:
    seen = _seen(GIVEN_UP, bad=8)
    of_scopes = {target.scope: seen.target(target).cause for target in seen.run.targets.values()}
    assert of_scopes == {"good": Cause.LIMIT, "bad": Cause.GIVEN_UP}
