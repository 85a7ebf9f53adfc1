"""What a preview learns of gates: what each says, and what it keeps from starting by that."""

import os
from typing import Any

import anyio
import pytest
from fakes.stage import plan_of, targets_of

from orchestrator.app.preview.ask_gates import ask_gates
from orchestrator.clock import SystemClock
from orchestrator.model.plan.health_gate import HealthGate
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
    [found] = anyio.run(ask_gates, plan, environ, SystemClock(), 1, backend="asyncio")
    assert (found.answer, found.keeps) == (answer, keeps)
