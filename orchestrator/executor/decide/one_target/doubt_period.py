"""Until when doubtful attempts are reconciled before they may be sent again, by the clock of the session. Pure."""

from datetime import datetime, timedelta

from orchestrator.executor.decide.rollout import Rollout
from orchestrator.executor.scope.poll_schedule import doubt_period_s
from orchestrator.model.record.outcome import Phase
from orchestrator.model.run.state import TargetState


def doubt_ends(rollout: Rollout, state: TargetState, now: datetime) -> datetime | None:
    """When the doubt period of a target ends; None when it has passed, so that a last look decides."""
    since = state.doubt_since or state.last.sent
    period_s = doubt_period_s(rollout.plan.retry.resend_after_s, rollout.plan.http.timeout_s)
    left_s = period_s - rollout.run.timeline.elapsed_s(since, now, state.target.scope)
    return now + timedelta(seconds=left_s) if left_s > 0 else None


def first_doubt_ends(rollout: Rollout, now: datetime) -> datetime | None:
    """When the first of them ends, of those that are looked for; None when none is, or one has passed.

    It scans what the run has touched.
    """
    doubts = (state for state in rollout.run.open_states() if state.phase is Phase.DOUBT and not state.set_aside)
    ends = [doubt_ends(rollout, state, now) for state in doubts]
    return None if None in ends else min(filter(None, ends), default=None)
