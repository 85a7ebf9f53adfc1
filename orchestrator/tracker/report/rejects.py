"""The reasons for which the cloud said no, counted: REJECT entries and refusing errors alike, word for word."""

from collections.abc import Iterator
from typing import TypeAlias

from orchestrator.model.outcome import Outcome
from orchestrator.model.run import Run
from orchestrator.model.state import TargetState
from orchestrator.tracker.report.schema import RejectReason

#: Reason and error code.
_Key: TypeAlias = tuple[str, str | None]


def reject_reasons(run: Run) -> list[RejectReason]:
    """Every reason, the most frequent first, each with the targets in plan order that got it."""
    counts: dict[_Key, int] = {}
    proxies: dict[_Key, dict[str, None]] = {}
    for proxy_id in run.targets:
        state = run.states.get(proxy_id)
        for key in reasons_of(state) if state else ():
            counts[key] = counts.get(key, 0) + 1
            proxies.setdefault(key, {})[proxy_id] = None
    ordered = sorted(counts, key=lambda key: (-counts[key], key[0], key[1] or ""))
    return [
        RejectReason(reason=key[0], error_code=key[1], count=counts[key], proxy_ids=list(proxies[key]))
        for key in ordered
    ]


def reasons_of(state: TargetState) -> Iterator[_Key]:
    """Every no that one target got, in order; at least one when it is `rejected`."""
    found = False
    for attempt in state.attempts:
        answer = attempt.answer
        if answer is None:
            continue
        for entry in answer.update_result:
            if entry.rejected:
                found = True
                yield entry.error_message or "REJECT without a reason", None
        if answer.verdict == "refused":
            found = True
            yield answer.error_msg or answer.reason or "refused", answer.error_code
    if not found and state.outcome is Outcome.REJECTED:
        yield state.reason or "refused", state.error_code
