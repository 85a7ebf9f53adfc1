"""The last record of a target in a run: its outcome, and why."""

from orchestrator.executor.crash_points import Point
from orchestrator.executor.session import Session
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import Settled
from orchestrator.model.run.state import TargetState


async def settle(
    state: TargetState,
    session: Session,
    outcome: Outcome,
    reason: str | None,
    version: str | None = None,
    *,
    wave: str | None = None,
    error_code: str | None = None,
    evidence: str | None = None,
) -> None:
    """Settle a target; `wave`: the one that took it up, when nothing was sent."""
    await session.ledger.record(
        Settled(
            **session.about(state),
            wave=wave,
            outcome=outcome,
            reason=reason,
            error_code=error_code,
            verified_version=version,
            evidence=evidence,
        )
    )
    session.reached(Point.SETTLED)
