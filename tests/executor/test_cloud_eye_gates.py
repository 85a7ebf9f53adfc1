"""Gates that are a metric, over whole sessions on virtual time."""

from typing import Any

import pytest
from fakes.clock import START
from fakes.clouds import FakeCloud
from fakes.eyes import Eyes
from fakes.rollouts import FREE, stage_of
from fakes.stage import Played, Stage
from msgspec.structs import replace

from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.health_gate import EyeQuestion, HealthGate, MetricBound
from orchestrator.model.plan.metric import CONNECTIONS, RESPONSE_MS
from orchestrator.model.plan.plan import Wave
from orchestrator.model.record.gate_record import GateAnswered
from orchestrator.model.record.record import Intent

WAVES = (
    Wave(name="canary", size=Amount(1), soak_s=600.0),
    Wave(name="few", size=Amount(4), soak_s=600.0),
    Wave(name="rest"),
)
ABSOLUTE = EyeQuestion(metric=RESPONSE_MS, max=MetricBound(5.5))
CONTROL = EyeQuestion(metric=RESPONSE_MS, compare="control")


def gated(question: EyeQuestion, eyes: Eyes, number: int = 40, **changes: Any) -> Stage:
    scopes = changes.pop("scopes_of", ("default",))
    gate = HealthGate(name="slo", at=("wave", "start"), cloud_eye=question, passes=1, **changes)
    stage = stage_of(number, gates=(gate,), waves=WAVES, limits=replace(FREE, in_flight=Amount(5)), scopes_of=scopes)
    stage.eye_of = eyes
    return stage


def upgraded(played: Played) -> int:
    return len(played.of(Intent))


def scopes_of(cloud: FakeCloud) -> set[str]:
    return {target.scope for target in cloud.proxies.values()}


def answers(played: Played) -> list[str]:
    return [record.answer for record in played.of(GateAnswered)]


@pytest.mark.parametrize("question", [ABSOLUTE, CONTROL])
def test_nothing_was_upgraded_yet_so_nothing_speaks_against_the_first(question: EyeQuestion) -> None:
    played = gated(question, Eyes(noise=0.05)).play()
    assert answers(played)[0] == "passes"
    assert upgraded(played) == 40


@pytest.mark.parametrize("question", [ABSOLUTE, CONTROL])
def test_a_slower_kernel_stops_the_fleet_after_the_canaries(question: EyeQuestion) -> None:
    played = gated(question, Eyes(noise=0.03, slower=1.3)).play()
    assert upgraded(played) <= 5
    assert "fails" in answers(played)


def test_what_the_whole_region_does_closes_a_bound_and_no_comparison() -> None:
    now = int(START.timestamp() // 60)
    spikes = ((now + 8, now + 300, 1.5),)
    assert upgraded(gated(ABSOLUTE, Eyes(spikes=spikes)).play()) <= 5
    assert upgraded(gated(CONTROL, Eyes(spikes=spikes, noise=0.03)).play()) == 40


@pytest.mark.parametrize(("on_error", "sent"), [("open", 40), ("closed", 1)])
def test_without_the_permission_the_gate_is_what_the_plan_says(on_error: Any, sent: int) -> None:
    eyes = Eyes(forbidden=True)
    played = gated(CONTROL, eyes, on_error=on_error).play()
    assert upgraded(played) == sent
    assert len(eyes.calls) == 1
    assert any("ces:metricData:list" in record.evidence for record in played.of(GateAnswered))


def test_what_one_scope_shows_says_nothing_of_another_that_may_not_be_asked() -> None:
    open_eyes, shut_eyes = Eyes(), Eyes(forbidden=True)
    stage = gated(ABSOLUTE, open_eyes, scopes_of=("default", "default", "default", "shut"))
    stage.eye_of = lambda cloud, clock: (shut_eyes if "shut" in scopes_of(cloud) else open_eyes)(cloud, clock)
    played = stage.play()
    assert upgraded(played) <= 5
    assert answers(played)[-1] == "error"


def test_samples_that_never_come_are_no_answer() -> None:
    played = gated(ABSOLUTE, Eyes(lost=lambda _minute: True)).play()
    assert upgraded(played) == 1
    assert answers(played)[-1] == "error"


def test_while_another_gate_is_read_the_time_of_a_gate_does_not_run() -> None:
    """Without its answer it would be open, though the kernel is slower."""
    stage = gated(ABSOLUTE, Eyes(noise=0.03, slower=1.3, takes_s=25.0), on_error="open", timeout_s=30.0)
    [slo] = stage.plan.gates
    benign = EyeQuestion(metric=CONNECTIONS, max=MetricBound(1e9), over_s=3000.0)
    stage.plan = replace(stage.plan, gates=(replace(slo, name="other", cloud_eye=benign, timeout_s=300.0), slo))
    played = stage.play()
    assert upgraded(played) <= 5
    assert "fails" in [record.answer for record in played.of(GateAnswered) if record.gate == "slo"]


def test_the_same_minutes_are_asked_for_once() -> None:
    eyes = Eyes(noise=0.05)
    played = gated(CONTROL, eyes, every_s=10.0).play()
    assert len(eyes.calls) < 12 * played.seconds / 60
