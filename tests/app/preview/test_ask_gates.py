"""What a preview learns of gates: what each says, and what it keeps from starting by that."""

import os
from pathlib import Path
from typing import Any

import anyio
import pytest
from fakes.stage import plan_of, targets_of

from orchestrator.app.preview.ask_gates import ask_gates
from orchestrator.clock import SystemClock
from orchestrator.cloud.secrets.registry import Secrets
from orchestrator.cloud.secrets.secret import Secret
from orchestrator.model.plan.auth import Auth
from orchestrator.model.plan.health_gate import HealthGate
from orchestrator.model.plan.plan import Notify, Scope
from orchestrator.model.plan.selection import Selector

SOME = Selector(labels={"app": "a1"})


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
    [found] = anyio.run(ask_gates, plan, environ, SystemClock(), 1, Secrets(), backend="asyncio")
    assert (found.answer, found.keeps) == (answer, keeps)


def quoted(text: str, auth: Auth, environ: dict[str, str], *learned: Secret, **parts: Any) -> str | None:
    """What is shown of a gate whose program quotes this."""
    gate = HealthGate(name="g", command=("/bin/echo", text))
    plan = plan_of(targets_of(1), gates=(gate,), scopes=(Scope(name="default", auth=auth),), **parts)
    secrets = Secrets()
    secrets.learn("a scope", *learned)
    given = {"PATH": os.environ["PATH"], **environ}
    [found] = anyio.run(ask_gates, plan, given, SystemClock(), 1, secrets, backend="asyncio")
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
