"""What a new run knows of its targets from the runs before: what did not end well for this version."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from orchestrator.model.outcome import FAILED_BEFORE, GOOD, Outcome
from orchestrator.model.plan import Plan
from orchestrator.model.record import EarlierOutcome, Record, Settled
from orchestrator.model.target import Target
from orchestrator.tracker.runs.earlier import runs_that_settled

#: By proxy_id: the last outcome, and the version that the proxy was to be upgraded to.
LastOutcomes: TypeAlias = Mapping[str, tuple[Outcome, str]]

#: Outcomes after which a proxy is left out of the next run for the same version.
_FAILED = frozenset({Outcome.FAILED, Outcome.MISMATCH, Outcome.REJECTED})
#: Outcomes that say nothing of a proxy which a later run must know.
_TELLS_NOTHING = GOOD | {Outcome.NOT_STARTED}


def earlier_outcomes(
    plan: Plan, targets: Sequence[Target], last: LastOutcomes, folder: Path, now: datetime
) -> Iterator[Record]:
    """What is known of each target that did not end well for this version: the report shows it, and it is no news.

    Raises:
        StateError: an earlier run cannot be read.
    """
    known = {key: outcome for key, outcome in _for_this(plan, targets, last) if outcome not in _TELLS_NOTHING}
    for run_id, state in runs_that_settled(folder, known):
        yield EarlierOutcome(
            at=now,
            target=state.key,
            run_id=run_id,
            outcome=known[state.key],
            reason=state.reason,
            workflow_ids=tuple(state.jobs),
        )


def left_out(plan: Plan, targets: Sequence[Target], last: LastOutcomes, now: datetime) -> list[Record]:
    """The targets that are not sent again for this version unless a person asks for them."""
    return [
        Settled(
            at=now,
            target=proxy_id,
            outcome=Outcome.SKIPPED,
            reason=FAILED_BEFORE,
            evidence=f"{outcome.value} in an earlier run for this version; ask for it with --only-outcome",
        )
        for proxy_id, outcome in _for_this(plan, targets, last)
        if outcome in _FAILED
    ]


def _for_this(plan: Plan, targets: Sequence[Target], last: LastOutcomes) -> Iterator[tuple[str, Outcome]]:
    """The last outcome of each target that was to be upgraded to this version before."""
    for target in targets:
        outcome, version = last.get(target.proxy_id, (None, ""))
        if outcome is not None and version == plan.target_version:
            yield target.proxy_id, outcome
