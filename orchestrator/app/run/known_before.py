"""What a new run knows of its targets from the runs before: what did not end well for this version."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.target import Target
from orchestrator.model.record.outcome import FAILED_BEFORE, GOOD, Outcome
from orchestrator.model.record.record import EarlierOutcome, Record, Settled
from orchestrator.planner.next_run import LastOutcomes, outcomes_for
from orchestrator.tracker.runs.earlier import runs_that_settled
from orchestrator.tracker.state_store import Fleet

#: Outcomes that say nothing of a proxy which a later run must know.
_TELLS_NOTHING = GOOD | {Outcome.NOT_STARTED}


def earlier_outcomes(
    plan: Plan, targets: Sequence[Target], last: LastOutcomes, fleet: Fleet, now: datetime
) -> Iterator[Record]:
    """What is known of each target that did not end well for this version: the report shows it, and it is no news.

    Raises:
        StateError: an earlier run cannot be read.
    """
    known = {key: outcome for key, outcome in outcomes_for(plan, targets, last) if outcome not in _TELLS_NOTHING}
    for run_id, state in runs_that_settled(fleet, known):
        yield EarlierOutcome(
            at=now,
            target=state.key,
            run_id=run_id,
            outcome=known[state.key],
            reason=state.reason,
            workflow_ids=tuple(state.jobs),
        )


def left_out(failed: Mapping[str, Outcome], now: datetime) -> list[Record]:
    """The targets that are not sent again for this version unless a person asks for them."""
    return [
        Settled(
            at=now,
            target=proxy_id,
            outcome=Outcome.SKIPPED,
            reason=FAILED_BEFORE,
            evidence=f"{outcome.value} in an earlier run for this version; ask for it with --only-outcome",
        )
        for proxy_id, outcome in failed.items()
    ]
