"""How one proxy ended as far as is known: by this run, or by the earlier one whose word still counts in it."""

from typing import NamedTuple

import msgspec

from orchestrator.model.record.outcome import FAILED_BEFORE, Outcome
from orchestrator.model.run.run import Run
from orchestrator.tracker.report.schema import TargetReport
from orchestrator.tracker.report.target import reason_of

_decode = msgspec.json.Decoder(TargetReport).decode


class LastWord(NamedTuple):
    """An outcome, and the reason in the words of the report."""

    outcome: Outcome
    reason: str | None


def last_word(run: Run, proxy_id: str) -> LastWord | None:
    """The outcome of a proxy; of one that is left out for its earlier one, that one. None while it has none."""
    state, earlier = run.states.get(proxy_id), run.earlier.get(proxy_id)
    if state is not None and state.outcome is not None:
        if state.reason == FAILED_BEFORE and earlier is not None:
            return LastWord(earlier.outcome, earlier.reason)
        return LastWord(state.outcome, reason_of(state))
    kept = next((each for each in run.kept if each.target == proxy_id), None)
    return None if kept is None else LastWord(kept.outcome, _decode(kept.entry).reason)
