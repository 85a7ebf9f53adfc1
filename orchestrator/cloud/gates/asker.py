"""Ask any gate, whatever its kind."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from msgspec import structs

from orchestrator.cloud.credentials.on_this_host import secrets_here
from orchestrator.cloud.gates.command_gate import ask_command
from orchestrator.cloud.gates.http_gate import HttpAsker
from orchestrator.cloud.secrets.registry import Secrets
from orchestrator.cloud.secrets.secret import HiddenEnvironment
from orchestrator.cloud.time_source import TimeSource
from orchestrator.cloud.wire.transport import Transport, open_transport
from orchestrator.errors import OrchestratorError
from orchestrator.model.plan.health_gate import EVIDENCE_CHARS, GateFinding, GateQuestion, HealthGate
from orchestrator.model.plan.plan import Plan


class Asker:
    """Asks the gates of one plan; made by `open_asker`."""

    def __init__(self, transport: Transport, plan: Plan, environ: Mapping[str, str], secrets: Secrets) -> None:
        self._over_http = HttpAsker(transport, environ, secrets)
        self._plan = plan
        self._environ = environ
        self._secrets = secrets

    async def ask(self, gate: HealthGate, question: GateQuestion) -> GateFinding:
        """One question, one finding, without any secret in it."""
        try:
            finding = await self._ask(gate, question)
        except OrchestratorError as error:
            finding = GateFinding(answer="error", evidence=str(error))
        masked = self._secrets.mask(finding)
        return structs.replace(masked, evidence=" ".join(masked.evidence.split())[:EVIDENCE_CHARS])

    async def _ask(self, gate: HealthGate, question: GateQuestion) -> GateFinding:
        if gate.http is not None:
            return await self._over_http.ask_http(gate.http, gate)
        if gate.promql is not None:
            return await self._over_http.ask_promql(gate.promql, gate)
        return await ask_command(gate.command or (), question, self._plan, self._environ, gate.timeout_s)


@asynccontextmanager
async def open_asker(
    plan: Plan, *, environ: Mapping[str, str], clock: TimeSource, secrets: Secrets
) -> AsyncIterator[Asker]:
    """What asks the gates of a plan, over connections of its own: one for each gate, which asks one question at a time.

    Fewer would let a gate that hangs take the time of another one on the same host, which then has no answer either.

    Args:
        plan: whose gates; its `http.ca_file` is trusted here too.
        environ: where tokens are, and what a command finds of it.
        clock: for durations.
        secrets: what no answer may show; learns every secret of the plan that lies on this host, for a program may
            quote one before anything of ours has used it.

    Raises:
        PlanError: `http.ca_file` cannot be read.
    """
    hidden = HiddenEnvironment(environ)
    secrets.learn(plan.name, *await secrets_here(plan, hidden))
    way = open_transport(plan.http, connections=len(plan.gates), environ=hidden, clock=clock, secrets=secrets)
    async with way as transport:
        yield Asker(transport, plan, hidden, secrets)
