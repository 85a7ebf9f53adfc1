"""Each gate of a plan asked once, for the preview."""

from collections.abc import Mapping
from typing import Literal

import anyio

from orchestrator.cloud.gates.asker import Asker, open_asker
from orchestrator.cloud.secrets.registry import Secrets
from orchestrator.executor.ports import Clock
from orchestrator.model.plan.health_gate import GateQuestion, HealthGate
from orchestrator.model.plan.plan import Plan
from orchestrator.planner.preview.preview_values import GatePreview

_LATER = "it looks at proxies that the run upgrades"


async def ask_gates(
    plan: Plan, environ: Mapping[str, str], clock: Clock, waiting: int, secrets: Secrets
) -> tuple[GatePreview, ...]:
    """What each gate says now, in the order of the plan.

    Args:
        plan: whose gates.
        environ: where tokens are.
        clock: for durations.
        waiting: how many targets the questions name as still to come.
        secrets: that the scopes of the plan have learned, which a gate may quote.

    Raises:
        PlanError: `http.ca_file` cannot be read.
    """
    if not plan.gates:
        return ()
    found: list[GatePreview | None] = [None] * len(plan.gates)
    opened = open_asker(plan, environ=environ, clock=clock, secrets=secrets)
    async with opened as asker, anyio.create_task_group() as group:
        for number, gate in enumerate(plan.gates):
            if gate.cloud_eye is not None:
                found[number] = GatePreview(name=gate.name, at=gate.at, answer=None, evidence=_LATER)
            else:
                group.start_soon(_ask, asker, gate, _question(plan, gate, waiting), found, number)
    return tuple(gate for gate in found if gate is not None)


async def _ask(
    asker: Asker, gate: HealthGate, question: GateQuestion, found: list[GatePreview | None], number: int
) -> None:
    said = await asker.ask(gate, question)
    kept: Literal["all", "some"] = "all" if gate.select is None else "some"
    found[number] = GatePreview(
        name=gate.name,
        at=gate.at,
        answer=said.answer,
        keeps=None if "start" not in gate.at or gate.is_good(said.answer) else kept,
        status=said.status,
        value=said.value,
        evidence=said.evidence,
    )


def _question(plan: Plan, gate: HealthGate, waiting: int) -> GateQuestion:
    return GateQuestion(
        gate=gate.name,
        fleet=plan.name,
        run_id="",
        wave=None,
        target_version=plan.target_version,
        upgraded=0,
        waiting=waiting,
    )
