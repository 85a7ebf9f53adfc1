"""What a preview learns of gates: what each says, and what it keeps from starting by that."""

import json
import os
from pathlib import Path
from typing import Any

import anyio
import pytest
from fakes.clock import START
from fakes.recorded import run_started
from fakes.rollouts import rollout_of
from fakes.stage import plan_of, targets_of

from orchestrator.app.preview.ask_gates import Look, ask_gates
from orchestrator.clock import SystemClock
from orchestrator.cloud.secrets.registry import Secrets
from orchestrator.cloud.secrets.secret import Secret
from orchestrator.model.plan.auth import Auth
from orchestrator.model.plan.health_gate import EyeQuestion, GateFinding, HealthGate, MetricBound
from orchestrator.model.plan.plan import Notify, Plan, Scope
from orchestrator.model.plan.selection import Selector
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import Settled
from orchestrator.model.run.run import Run
from orchestrator.planner.preview.preview_values import GatePreview

SOME = Selector(labels={"app": "a1"})
EYE = HealthGate(name="g", cloud_eye=EyeQuestion(metric="m", max=MetricBound(50.0)))


def asked(
    plan: Plan, environ: dict[str, str], secrets: Secrets, run: Run | None = None, look: Look | None = None
) -> tuple[GatePreview, ...]:
    run = run or rollout_of(plan).run
    return anyio.run(ask_gates, plan, environ, SystemClock(), secrets, run, look, backend="asyncio")


@pytest.mark.parametrize(
    ("command", "changes", "answer", "keeps"),
    [
        ("exit 0", {}, "passes", None),
        ("exit 1", {}, "fails", "all"),
        ("exit 2", {}, "error", "all"),
        ("exit 2", {"on_error": "open"}, "error", None),
        ("exit 1", {"select": SOME}, "fails", "some"),
        ("exit 1", {"at": ("wave",)}, "fails", None),
    ],
)
def test_what_a_gate_keeps_from_starting(command: str, changes: Any, answer: str, keeps: str | None) -> None:
    gate = HealthGate(name="g", command=("/bin/sh", "-c", command), **changes)
    plan = plan_of(targets_of(1), gates=(gate,))
    environ = {"PATH": os.environ["PATH"]}
    [found] = asked(plan, environ, Secrets())
    assert (found.answer, found.keeps) == (answer, keeps)


def test_a_program_is_told_where_the_run_stands_that_goes_on() -> None:
    plan = plan_of(targets_of(3), gates=(HealthGate(name="g", command=("/bin/cat",)),))
    run = rollout_of(plan).run
    first = next(iter(run.targets))
    run.apply(run_started(3, run_id="r1"))
    run.apply(Settled(at=START, target=first, outcome=Outcome.SUCCEEDED))
    [found] = asked(plan, {}, Secrets(), run)
    told = json.loads(found.evidence or "")
    assert (told["run_id"], told["upgraded"], told["waiting"]) == ("r1", 1, 2)


def test_a_metric_is_looked_at_where_there_is_a_cloud_to_look() -> None:
    async def look(gate: HealthGate, question: EyeQuestion) -> GateFinding:
        return GateFinding(answer="fails", value=60.0, evidence=f"{gate.name} {question.metric}")

    [found] = asked(plan_of(targets_of(1), gates=(EYE,)), {}, Secrets(), look=look)
    assert (found.answer, found.keeps, found.value, found.evidence) == ("fails", "all", 60.0, "g m")


def test_a_metric_that_nobody_looks_at_is_not_asked() -> None:
    [found] = asked(plan_of(targets_of(1), gates=(EYE,)), {}, Secrets())
    assert (found.answer, found.keeps) == (None, None)


def quoted(text: str, auth: Auth, environ: dict[str, str], *learned: Secret, **parts: Any) -> str | None:
    """What is shown of a gate whose program quotes this."""
    gate = HealthGate(name="g", command=("/bin/echo", text))
    plan = plan_of(targets_of(1), gates=(gate,), scopes=(Scope(name="default", auth=auth),), **parts)
    secrets = Secrets()
    secrets.learn("a scope", *learned)
    given = {"PATH": os.environ["PATH"], **environ}
    [found] = asked(plan, given, secrets)
    return found.evidence


@pytest.mark.parametrize(
    ("auth", "environ", "parts"),
    [
        (Auth(), {"HW_AUTH_TOKEN": "simtok-SEKRIT-abcdef"}, {}),
        (Auth(token_env="MINE"), {"MINE": "simtok-SEKRIT-abcdef"}, {}),
        (Auth(user="ann", domain="d", password_env="MINE"), {"MINE": "simtok-SEKRIT-abcdef"}, {}),
        (Auth(agency=True), {"HOOK": "simtok-SEKRIT-abcdef"}, {"notify": (Notify(webhook_env="HOOK"),)}),
    ],
)
def test_no_secret_of_this_host_is_shown_before_anything_used_it(auth: Auth, environ: Any, parts: Any) -> None:
    assert quoted("it is simtok-SEKRIT-abcdef", auth, environ, **parts) == "it is ***"


def test_no_secret_in_a_file_is_shown_before_anything_used_it(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("simtok-SEKRIT-abcdef\n")
    assert quoted("it is simtok-SEKRIT-abcdef", Auth(token_file=str(file)), {}) == "it is ***"


def test_no_secret_that_a_scope_got_from_a_service_is_shown() -> None:
    assert quoted("it is of-IAM-abcdef", Auth(agency=True), {}, Secret("of-IAM-abcdef")) == "it is ***"
