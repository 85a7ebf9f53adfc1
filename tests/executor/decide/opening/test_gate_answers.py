"""What an answer makes of a gate, and how long it counts."""

from datetime import timedelta

import pytest
from fakes.clock import START
from fakes.rollouts import rollout_of
from fakes.stage import plan_of, targets_of
from msgspec import structs

from orchestrator.executor.decide.actions import AskGate, Hold, WaitUntil
from orchestrator.executor.decide.one_target.intent_gate import may_send
from orchestrator.executor.decide.opening.gates import concerns, due_at, gate_action, is_open, judge_answer
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.model.plan.health_gate import GateAnswer, GateFinding, HealthGate
from orchestrator.model.plan.selection import Selector
from orchestrator.model.record.gate_record import GateAnswered

GATE = HealthGate(name="g", command=("check",), passes=2, every_s=30.0, timeout_s=10.0)


def rollout(*, opened: bool | None = None, answer: GateAnswer = "passes", age_s: float | None = None) -> Rollout:
    """A gate that was answered so, `age_s` ago in this session; None for not yet in it."""
    made = rollout_of(plan_of(targets_of(2), gates=(GATE,), cloud_events="off"))
    if opened is not None:
        made.run.apply(GateAnswered(at=START, gate="g", answer=answer, open=opened))
    if age_s is not None:
        watch = made.watches["g"]
        watch.asked_at = watch.answered_at = START - timedelta(seconds=age_s)
    return made


def finding(answer: GateAnswer) -> GateFinding:
    return GateFinding(answer=answer)


@pytest.mark.parametrize(
    ("opened", "before", "in_a_row", "answer", "on_error", "opens", "changed"),
    [
        (None, "passes", 0, "passes", "closed", True, True),
        (None, "passes", 0, "fails", "closed", False, True),
        (True, "passes", 5, "passes", "closed", True, False),
        (True, "passes", 5, "fails", "closed", False, True),
        (True, "passes", 5, "error", "closed", False, True),
        (True, "passes", 5, "error", "open", True, True),
        (False, "fails", 0, "passes", "closed", False, True),
        (False, "passes", 1, "passes", "closed", True, True),
        (False, "fails", 0, "fails", "closed", False, False),
        (False, "fails", 0, "error", "closed", False, True),
        (False, "error", 1, "error", "open", True, True),
    ],
)
def test_what_an_answer_makes_of_a_gate(
    opened: bool | None,
    before: GateAnswer,
    in_a_row: int,
    answer: GateAnswer,
    on_error: str,
    opens: bool,
    changed: bool,
) -> None:
    made = rollout(opened=opened, answer=before, age_s=30)
    made.watches["g"].passes = in_a_row
    gate = HealthGate(name="g", command=("check",), passes=2, on_error="open" if on_error == "open" else "closed")
    judged = judge_answer(made, gate, finding(answer), START)
    assert (judged.open, judged.changed) == (opens, changed)


def test_the_first_answer_of_a_session_is_always_recorded() -> None:
    assert judge_answer(rollout(opened=True), GATE, finding("passes"), START).changed


@pytest.mark.parametrize(("age_s", "counts"), [(0, True), (40, True), (40.1, False), (None, False)])
def test_an_answer_counts_as_long_as_it_is_fresh(age_s: float | None, counts: bool) -> None:
    assert is_open(rollout(opened=True, age_s=age_s), GATE, START) is counts


def test_a_gate_is_due_at_once_and_then_after_every() -> None:
    assert due_at(rollout(), GATE) is None
    assert due_at(rollout(opened=True, age_s=10), GATE) == START + timedelta(seconds=20)


@pytest.mark.parametrize(
    ("age_s", "asking", "in_a_row", "does"),
    [
        (10, False, 0, Hold),
        (60, False, 0, AskGate),
        (10, True, 0, WaitUntil),
        (60, True, 0, WaitUntil),
        (10, False, 1, WaitUntil),
    ],
    ids=["its bad answer counts", "that is old", "it is asked again", "it is old and asked", "it begins to pass"],
)
def test_what_was_closed_for_long_holds_by_a_bad_answer_that_still_counts(
    age_s: float, asking: bool, in_a_row: int, does: type
) -> None:
    """Nobody asks it while every slot is taken or a window is closed; it may be well when it is asked again."""
    gate = structs.replace(GATE, hold_after_s=120.0)
    made = rollout_of(plan_of(targets_of(2), gates=(gate,)))
    made.run.apply(GateAnswered(at=START - timedelta(seconds=300), gate="g", answer="fails", open=False))
    watch = made.watches["g"]
    watch.asked_at = watch.answered_at = START - timedelta(seconds=age_s)
    watch.asking, watch.passes = asking, in_a_row
    assert type(gate_action(made, "start", START)) is does


def test_no_intent_through_a_gate_that_closed_meanwhile() -> None:
    made = rollout(opened=True, age_s=1)
    state = made.run.state(next(iter(made.run.targets)))
    made.queue.starting[state.key] = "canary"
    assert may_send(made, state, START) is None
    assert may_send(made, state, START + timedelta(seconds=60)) == "gate g is closed"
    made.run.apply(GateAnswered(at=START, gate="g", answer="fails", open=False))
    assert may_send(made, state, START) == "gate g is closed"


def test_a_gate_concerns_what_it_selects_and_what_nobody_can_say() -> None:
    target = targets_of(1)[0]
    assert concerns(GATE, target)
    assert concerns(HealthGate(name="g", select=Selector(labels={"app": "a0"})), target)
    assert not concerns(HealthGate(name="g", select=Selector(labels={"app": "b"})), target)
    assert concerns(HealthGate(name="g", select=Selector(name="orders*")), target)
