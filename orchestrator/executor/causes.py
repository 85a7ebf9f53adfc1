"""Which targets caused a hold, root causes first: grouped by reason, the reason that struck first before the others."""

from orchestrator.executor.actions import Hold
from orchestrator.model.outcome import Outcome
from orchestrator.model.run import Run
from orchestrator.model.state import TargetState
from orchestrator.model.tally import is_failure

#: A hold names no more than these; the report lists every target anyway.
_MOST = 100


def causes(run: Run, hold: Hold) -> tuple[str, ...]:
    """Proxy ids of the targets counted against the budget that tripped. Scans the run: holds are rare."""
    counted = [state for state in run.states.values() if _counts(run, state, hold)]
    first: dict[str | None, str] = {}
    for state in sorted(counted, key=_moment):
        first.setdefault(state.reason, _moment(state))
    ordered = sorted(counted, key=lambda state: (first[state.reason], _moment(state)))
    return tuple(state.key for state in ordered[:_MOST])


def _counts(run: Run, state: TargetState, hold: Hold) -> bool:
    if hold.wave is not None and state.wave != hold.wave:
        return False
    if hold.scope is not None and state.target.scope != hold.scope:
        return False
    if hold.cause == "rejected":
        return state.outcome is Outcome.REJECTED and state.counted_in == run.tally.epoch
    if hold.cause == "failures":
        return is_failure(state, run.failures) and state.counted_in == run.tally.epoch
    return hold.cause == "wave_failed" and bool(state.attempts)


def _moment(state: TargetState) -> str:
    moment = state.settled_at or (state.attempts[-1].intent.at if state.attempts else None)
    return moment.isoformat() if moment else ""
