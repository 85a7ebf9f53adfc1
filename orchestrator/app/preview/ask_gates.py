"""Each gate of a plan asked once, for the preview."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Literal, TypeAlias

import anyio

from orchestrator.cloud.gates.asker import open_asker
from orchestrator.cloud.secrets.registry import Secrets
from orchestrator.executor.ports import Clock
from orchestrator.model.plan.health_gate import EyeQuestion, GateFinding, GateQuestion, HealthGate
from orchestrator.model.plan.plan import Plan
from orchestrator.model.run.run import Run
from orchestrator.planner.preview.preview_values import GatePreview

_LATER = "it looks at proxies that the run upgrades"

#: Asks one gate that is a metric.
Look: TypeAlias = Callable[[HealthGate, EyeQuestion], Awaitable[GateFinding]]


async def ask_gates(
    plan: Plan, environ: Mapping[str, str], clock: Clock, secrets: Secrets, run: Run, look: Look | None = None
) -> tuple[GatePreview, ...]:
    """What each gate says now, in the order of the plan.

    Args:
        plan: whose gates.
        environ: where tokens are.
        clock: for durations.
        secrets: that the scopes of the plan have learned, which a gate may quote.
        run: that a start takes up, of which the questions tell.
        look: asks those that are metrics; None: they are not asked.

    Raises:
        PlanError: `http.ca_file` cannot be read.
    """
    if not plan.gates:
        return ()
    found: list[GatePreview | None] = [None] * len(plan.gates)
    opened = open_asker(plan, environ=environ, clock=clock, secrets=secrets)
    async with opened as asker, anyio.create_task_group() as group:
        for number, gate in enumerate(plan.gates):
            if gate.cloud_eye is None:
                group.start_soon(_ask, partial(asker.ask, gate, _question(plan, gate, run)), gate, found, number)
            elif look is not None:
                group.start_soon(_ask, partial(look, gate, gate.cloud_eye), gate, found, number)
            else:
                found[number] = GatePreview(name=gate.name, at=gate.at, answer=None, evidence=_LATER)
    return tuple(gate for gate in found if gate is not None)


async def _ask(
    ask: Callable[[], Awaitable[GateFinding]], gate: HealthGate, found: list[GatePreview | None], number: int
) -> None:
    said = await ask()
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


def _question(plan: Plan, gate: HealthGate, run: Run) -> GateQuestion:
    return GateQuestion(
        gate=gate.name,
        fleet=plan.name,
        run_id="" if run.started is None else run.started.run_id,
        wave=None,
        target_version=plan.target_version,
        upgraded=run.tally.fleet.standing["succeeded"],
        waiting=run.waiting,
    )
