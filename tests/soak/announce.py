"""The first records of a process: that the run begins, if it does, and the session."""

from soak.evidence import Process
from soak.life import Life

from orchestrator.executor.dispatch import Dispatcher
from orchestrator.model.plan.plan import Plan
from orchestrator.model.record.record import RunStarted, SessionStarted


async def announce(dispatcher: Dispatcher, plan: Plan, process: Process, life: Life) -> None:
    """Write them down. `plan`: of the fleet, with which a run begins."""
    ledger = dispatcher.session.ledger
    if dispatcher.session.run.started is None:
        await ledger.record(_run_started(plan, life))
    await ledger.record(
        SessionStarted(
            at=life.now(),
            step="session",
            number=process.number,
            pid=process.number,
            host=process.host or "virtual",
            orchestrator_version="0",
        )
    )


def _run_started(plan: Plan, life: Life) -> RunStarted:
    return RunStarted(
        at=life.now(),
        run_id="20260301T200000Z-virtual",
        name=plan.name,
        target_version=plan.target_version,
        plan_sha256=plan.sha256,
        simulated=True,
        targets=len(plan.proxies),
        waves=tuple(wave.name for wave in plan.waves),
        orchestrator_version="0",
    )
