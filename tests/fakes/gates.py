"""Gates whose answers a test writes down."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from fakes.clock import VirtualClock

from orchestrator.model.health_gate import GateAnswer, GateFinding, GateQuestion, HealthGate

#: What a gate answers at an instant.
Answers: TypeAlias = Callable[[str, datetime], GateAnswer]


@dataclass
class FakeGates:
    """Answers after `takes_s`, and keeps what it was asked and when it answered what."""

    clock: VirtualClock
    answers: Answers
    takes_s: float = 0.2
    asked: list[tuple[datetime, GateQuestion]] = field(default_factory=list)
    given: list[tuple[datetime, str, GateAnswer]] = field(default_factory=list)

    async def ask(self, gate: HealthGate, question: GateQuestion) -> GateFinding:
        """See `GateAsker`."""
        self.asked.append((self.clock.now(), question))
        await self.clock.sleep(self.takes_s)
        answer = self.answers(gate.name, self.clock.now())
        self.given.append((self.clock.now(), gate.name, answer))
        return GateFinding(answer=answer, status=200 if answer == "passes" else 503, evidence=f"{gate.name} {answer}")
