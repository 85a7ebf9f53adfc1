"""The record of what a gate was answered."""

from orchestrator.model.plan.health_gate import GateAnswer
from orchestrator.model.record.record_base import Base


class GateAnswered(Base, frozen=True, kw_only=True):
    """A gate gave an answer that changes something, or its first one in a session; a closed one said something new.

    Or it said the same once more, which shows that it was closed until then, or that those may still start whose turn
    another host has.

    Attributes:
        gate: its name.
        open: whether it is open by that answer.
        status: see `GateFinding`; so are `value` and `evidence`.
        again: it is as it was, and said the same.
        age_s: how old the answer was when it came.
    """

    step: str = "gate"
    gate: str
    answer: GateAnswer
    open: bool
    status: int | None = None
    value: float | None = None
    evidence: str = ""
    again: bool = False
    age_s: float = 0.0
