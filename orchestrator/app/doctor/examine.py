"""The verb `doctor`: this host and every scope of the plan, looked at. Sends no upgrade, and leaves nothing behind."""

from collections.abc import Mapping, Sequence

import anyio

from orchestrator.app.doctor.ask_health import ask_health
from orchestrator.app.doctor.ask_scope import ask_scope
from orchestrator.app.doctor.diagnosis import Diagnosis
from orchestrator.app.doctor.judge_answers import upgrades_untried
from orchestrator.app.doctor.look_at_host import look_at_host
from orchestrator.app.doctor.look_at_receivers import look_at_receivers
from orchestrator.app.process.event_loop import backend_options
from orchestrator.app.scopes.open_scopes import open_scopes
from orchestrator.app.scopes.rate_memory import RateMemory
from orchestrator.clock import SystemClock
from orchestrator.cloud.secrets.registry import Secrets
from orchestrator.errors import OrchestratorError
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.target import Target
from orchestrator.tracker.state_store import State


def examine(
    plan: Plan, targets: Sequence[Target], state: State, environ: Mapping[str, str], memory: RateMemory
) -> list[Diagnosis]:
    """Everything that a night needs, in the order in which a run needs it.

    Args:
        plan: to be carried out.
        targets: that it writes out.
        state: where it is kept.
        environ: where endpoints and credentials may be.
        memory: what is known of rates, so that a run beside it is not disturbed.
    """
    clock = SystemClock()
    host = list(look_at_host(plan, state, clock.monotonic))
    asked = anyio.run(
        _ask_all, plan, targets, environ, memory, clock, backend="asyncio", backend_options=backend_options()
    )
    told = look_at_receivers(plan, environ) if plan.notify else ()
    return [*host, *told, *asked, upgrades_untried()]


async def _ask_all(
    plan: Plan, targets: Sequence[Target], environ: Mapping[str, str], memory: RateMemory, clock: SystemClock
) -> list[Diagnosis]:
    secrets = Secrets()
    try:
        async with open_scopes(plan, environ=environ, clock=clock, memory=memory, secrets=secrets) as scopes:
            found = await ask_scopes(plan, targets, scopes)
            return [*found, *await ask_health(plan, targets, scopes, environ, clock, secrets)]
    except OrchestratorError as error:  # an address, a certificate or a forward proxy that cannot be used
        return [Diagnosis("every scope", "endpoint", "wrong", str(error), error.hint)]


async def ask_scopes(plan: Plan, targets: Sequence[Target], scopes: Mapping[str, ScopeCalls]) -> list[Diagnosis]:
    """All scopes side by side; their diagnoses in the order of the plan."""
    found: dict[str, list[Diagnosis]] = {name: [] for name in scopes}

    async def ask(name: str) -> None:
        own = [target for target in targets if target.scope == name]
        found[name] = await ask_scope(scopes[name], own, [entry for entry in plan.discover if entry.scope == name])

    async with anyio.create_task_group() as serving:
        for scope in {id(scope.lanes): scope for scope in scopes.values()}.values():
            serving.start_soon(scope.lanes.serve)
        async with anyio.create_task_group() as asking:
            for name in scopes:
                asking.start_soon(ask, name)
        serving.cancel_scope.cancel()
    return [diagnosis for name in scopes for diagnosis in found[name]]
