"""What the report says of gates: where each stands, and for how long it was closed. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from orchestrator.model.learned.gate_status import GateStatus
from orchestrator.model.plan.health_gate import GateAnswer
from orchestrator.model.run.run import Run
from orchestrator.spoken import counted, spoken


class GateReport(Struct, frozen=True, kw_only=True):
    """One gate that has been asked."""

    name: str
    state: Literal["open", "closed"]
    since: Annotated[datetime, Meta(description="Since when, in whatever session that was")]
    closed_times: Annotated[int, Meta(description="How often it was closed, its first answer counted")] = 0
    closed_seconds: Annotated[
        float, Meta(description="For how long it was closed in all, in each session from its own first answer on")
    ] = 0.0
    answer: Annotated[GateAnswer, Meta(description="The latest one that is recorded; error: there was none")]
    status: Annotated[int | None, Meta(description="Of HTTP, or the exit status of the command; null without one")]
    value: Annotated[float | None, Meta(description="The sample that decided; null without one")]
    evidence: Annotated[str, Meta(description="What was said, cut")]


def gates_form(run: Run) -> list[GateReport] | UnsetType:
    """The gates that have been asked, by name; absent without any."""
    return [_gate(run.gates[name], run.last_at) for name in sorted(run.gates)] or UNSET


def _gate(gate: GateStatus, last_at: datetime | None) -> GateReport:
    latest = gate.latest
    return GateReport(
        name=latest.gate,
        state="open" if latest.open else "closed",
        since=gate.since,
        closed_times=gate.times,
        closed_seconds=round(gate.closed_s(last_at or gate.since), 3),
        answer=latest.answer,
        status=latest.status,
        value=latest.value,
        evidence=latest.evidence,
    )


def gate_lines(gates: Sequence[GateReport] | UnsetType) -> Iterator[str]:
    """The same in words, one line for each gate."""
    for gate in gates or ():
        said = f": {gate.evidence}" if gate.evidence else ""
        stands = f"{gate.state} since {gate.since:%Y-%m-%d %H:%M:%SZ}"
        yield f"{gate.name}: {stands}, {closed_words(gate)}; {gate.answer}{said}"


def closed_words(gate: GateReport) -> str:
    """How often and for how long it was closed."""
    if not gate.closed_times:
        return "never closed"
    return f"closed {counted(gate.closed_times, 'time')}, {spoken(gate.closed_seconds)} in all"
