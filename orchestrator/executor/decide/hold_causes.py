"""Which targets caused a hold, root causes first: grouped by signature, the one that struck first before the others."""

from collections.abc import Container, Sequence
from functools import partial

from orchestrator.executor.decide.actions import Hold
from orchestrator.model.learned.refusal import refusals
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.reply.signature import signature
from orchestrator.model.run.run import Run
from orchestrator.model.run.state import TargetState
from orchestrator.model.run.states.packed_state import Packed
from orchestrator.model.run.tally import is_failure
from orchestrator.model.run.upgrade_call import Attempt

#: A hold names no more than these; the report lists every target anyway.
_MOST = 100


def causes(run: Run, hold: Hold) -> tuple[str, ...]:
    """Proxy ids of the targets that the hold is about. Scans the run: holds are rare."""
    holds = (hold, *hold.others)
    near = run.states.glances(run.states.those(partial(_may_count, run, holds)))
    counted = [state for state in near if any(_counts(run, state, each) for each in holds)]
    first: dict[str, str] = {}
    for state in sorted(counted, key=_moment):
        first.setdefault(signature(state.plain_reason or ""), _moment(state))

    def rank(state: TargetState) -> tuple[str, str, str]:
        reason = signature(state.plain_reason or "")
        return first[reason], reason, _moment(state)

    ordered = sorted(counted, key=rank)
    return tuple(state.key for state in ordered[:_MOST])


def _may_count(run: Run, holds: Sequence[Hold], state: TargetState | Packed) -> bool:
    """Whether a state is worth a look, as far as can be told of it packed."""
    if isinstance(state, TargetState):
        return True
    worth = {
        "rejected": state.outcome is Outcome.REJECTED,
        "failures": state.standing in run.failures.counts,
        "new_reject": state.refused,
        "wave_failed": True,
    }
    return any(worth.get(each.cause, False) and each.wave in (None, state.wave) for each in holds)


def _counts(run: Run, state: TargetState, hold: Hold) -> bool:
    if hold.wave is not None and state.wave != hold.wave:
        return False
    if hold.scope is not None and state.target.scope != hold.scope:
        return False
    if hold.cause == "rejected":
        return state.outcome is Outcome.REJECTED and state.counted_in == run.tally.epoch
    if hold.cause == "failures":
        return is_failure(state, run.failures) and state.counted_in == run.tally.epoch
    if hold.cause == "new_reject":
        return any(_said(attempt, run.new_rejects) for attempt in state.attempts)
    return hold.cause == "wave_failed" and bool(state.attempts)


def _said(attempt: Attempt, signatures: Container[str]) -> bool:
    return attempt.answer is not None and any(each.signature in signatures for each in refusals(attempt.answer))


def _moment(state: TargetState) -> str:
    moment = state.settled_at or (state.attempts[-1].intent.at if state.attempts else None)
    return moment.isoformat() if moment else ""
