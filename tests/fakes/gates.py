"""Gates whose answers a test writes down."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import TypeAlias

from fakes.clock import VirtualClock

from orchestrator.model.plan.health_gate import GateAnswer, GateFinding, GateQuestion, HealthGate
from orchestrator.model.plan.selection import Selector

#: What a gate answers at an instant.
Answers: TypeAlias = Callable[[str, datetime], GateAnswer]


def moody(seed: int, *, share: float = 0.25, lasts_s: float = 240.0) -> Answers:
    """Fails, or cannot be asked, for a share of the time, some minutes each."""

    def answer(gate: str, at: datetime) -> GateAnswer:
        random = Random(f"{seed} {gate} {int(at.timestamp() // lasts_s)}")
        return random.choice(("fails", "error")) if random.random() < share else "passes"

    return answer


def some_gates(random: Random) -> tuple[HealthGate, ...]:
    """No gate in two plans of three; else one or two."""
    return tuple(
        HealthGate(
            name=f"g{number}",
            command=("check",),
            at=random.choice((("start",), ("start",), ("wave",), ("start", "wave"))),
            select=random.choice((None, Selector(labels={"app": "a1"}))),
            every_s=random.choice((2.0, 30.0, 120.0)),
            timeout_s=random.choice((1.0, 10.0)),
            passes=random.choice((1, 2, 3)),
            on_error=random.choice(("closed", "open")),
            hold_after_s=random.choice((None, None, 300.0)),
        )
        for number in range(random.choice((0, 0, 0, 0, 1, 2)))
    )


class KeptGates:
    """The gates of all sessions of a run; `given` is what they answered."""

    def __init__(self, answers: Answers, takes_s: float = 0.2, age_s: float = 0.0) -> None:
        self._answers, self._takes_s, self._age_s = answers, takes_s, age_s
        self.sessions: list[FakeGates] = []

    def __call__(self, clock: VirtualClock) -> "FakeGates":
        """Those of the next session."""
        self.sessions.append(FakeGates(clock, self._answers, self._takes_s, self._age_s))
        return self.sessions[-1]

    @property
    def given(self) -> list[tuple[datetime, str, GateAnswer]]:
        """Instant, gate and answer, in order."""
        return [each for gates in self.sessions for each in gates.given]


@dataclass
class FakeGates:
    """Answers after `takes_s` with what is `age_s` old, and keeps what it was asked and when it answered what."""

    clock: VirtualClock
    answers: Answers
    takes_s: float = 0.2
    age_s: float = 0.0
    asked: list[tuple[datetime, GateQuestion]] = field(default_factory=list)
    given: list[tuple[datetime, str, GateAnswer]] = field(default_factory=list)

    async def ask(self, gate: HealthGate, question: GateQuestion) -> GateFinding:
        """See `GateAsker`."""
        self.asked.append((self.clock.now(), question))
        await self.clock.sleep(self.takes_s)
        answer = self.answers(gate.name, self.clock.now())
        self.given.append((self.clock.now(), gate.name, answer))
        status = 200 if answer == "passes" else 503
        return GateFinding(answer=answer, status=status, evidence=f"{gate.name} {answer}", age_s=self.age_s)
