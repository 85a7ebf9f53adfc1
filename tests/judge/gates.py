"""Whether anything started through a closed gate, by what the gates really answered, whatever is recorded of it."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.selection import matches
from orchestrator.model.record import record as r


class Given(NamedTuple):
    """An answer as the gate gave it."""

    at: datetime
    gate: str
    answer: str


def gate_violations(plan: Plan, records: Sequence[r.Record], given: Sequence[Given]) -> Iterator[str]:
    """Every start, and every wave that opened, without a fresh answer by which its gates were open."""
    targets = {target.proxy_id: target for target in plan.proxies}
    sessions = [record.at for record in records if isinstance(record, r.SessionStarted)]
    for record in records:
        if isinstance(record, r.Intent):
            target = targets[record.target or ""]
            gates = [g for g in plan.gates if "start" in g.at and (g.select is None or matches(g.select, target))]
        elif isinstance(record, r.WaveOpened) and record.wave != plan.waves[0].name:
            gates = [gate for gate in plan.gates if "wave" in gate.at]
        else:
            continue
        for gate in gates:
            answers = [each for each in given if each.gate == gate.name and each.at <= record.at]
            begun = max(at for at in sessions if at <= record.at)
            if not answers or answers[-1].at < begun:
                yield f"{record} before gate {gate.name} was asked in its session"
            elif (record.at - answers[-1].at).total_seconds() > gate.every_s + gate.timeout_s:
                yield f"{record} by an answer of gate {gate.name} from {answers[-1].at}"
            elif not _open(answers, sessions, gate.passes, on_error=gate.on_error):
                yield f"{record} through the closed gate {gate.name}"


def _open(answers: Sequence[Given], sessions: Sequence[datetime], passes: int, *, on_error: str) -> bool:
    """Whether the answers, from the first one on, leave the gate open."""
    state: bool | None = None
    in_a_row, session = 0, 0
    for each in answers:
        number = sum(at <= each.at for at in sessions)
        in_a_row, session = (in_a_row if number == session else 0), number
        good = each.answer == "passes" or (each.answer == "error" and on_error == "open")
        in_a_row = in_a_row + 1 if good else 0
        state = good if state is None or state else in_a_row >= passes
    return bool(state)
