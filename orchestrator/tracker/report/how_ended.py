"""How the targets of a run ended, counted or named: those that ended otherwise than well, and those not looked at."""

from collections import Counter
from collections.abc import Iterator

import msgspec

from orchestrator.model.plan.plan import Plan
from orchestrator.model.record.outcome import BAD, FAILED_BEFORE, GOOD, Outcome
from orchestrator.model.run.run import Run
from orchestrator.model.run.state import TargetState
from orchestrator.tracker.report.schema import TargetReport
from orchestrator.tracker.report.target import projects, target_in

#: Outcomes with which an upgrade ended well, whether its version was read or not.
_DONE = frozenset({Outcome.SUCCEEDED, Outcome.ACCEPTED})

_decode = msgspec.json.Decoder(TargetReport).decode


def behind(run: Run, plan: Plan, *, without: str = "") -> Iterator[TargetReport]:
    """The targets that ended otherwise than well, in plan order; what an earlier run said of kept ones counts too.

    Args:
        run: the run.
        plan: as in force.
        without: a reason with which this run's own do not count.
    """
    bad = {state.key for state in run.states.ended_in(BAD) if not without or state.reason != without}
    known = projects(run, plan)
    if bad:
        yield from (target_in(run, plan, known, target) for key, target in run.targets.items() if key in bad)
    yield from (_decode(each.entry) for each in run.kept if each.outcome not in GOOD)


def count_found(run: Run, reason: str) -> Counter[str]:
    """How many of this run's own were left out for a reason, by what was found then."""
    ended = (state for state in run.states.ended_in(BAD) if state.reason == reason)
    return Counter(state.evidence[-1] for state in ended if state.evidence)


def count_behind(run: Run) -> Counter[str]:
    """How many ended otherwise than well, by outcome; of those left out for what happened before, by that."""
    found = Counter(_really(run, state) for state in run.states.ended_in(BAD))
    found.update(each.outcome for each in run.kept if each.outcome not in GOOD)
    return found


def count_not_read(run: Run) -> dict[str, int]:
    """How many ended well though nobody has read their version afterwards, by what is known of them instead."""
    found = Counter(filter(None, (state.taken_for for _, state in run.states.known())))
    found.update(filter(None, (_taken_for(_decode(each.entry)) for each in run.kept if each.outcome in _DONE)))
    return {name: found[name] for name in sorted(found)}


def _taken_for(entry: TargetReport) -> str | None:
    """The same of a target that keeps its outcome, see `TargetState.taken_for`."""
    if entry.outcome == Outcome.ACCEPTED:
        return "accepted"
    if entry.verified_version is not None:
        return None
    return "settled" if entry.settled_by else "completed"


def _really(run: Run, state: TargetState) -> str:
    if state.reason == FAILED_BEFORE and state.key in run.earlier:
        return run.earlier[state.key].outcome
    return state.standing
