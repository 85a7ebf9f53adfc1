"""The reasons for which the cloud said no, counted by signature: REJECT entries and refusing errors alike."""

from collections import Counter
from collections.abc import Iterator
from typing import TypeAlias

from orchestrator.model.outcome import UPGRADED, Outcome
from orchestrator.model.refusal import Refusal, refusals
from orchestrator.model.run import Run
from orchestrator.model.state import TargetState
from orchestrator.tracker.report.schema import RejectReason

#: Signature and error code.
_Key: TypeAlias = tuple[str, str | None]


def reject_reasons(run: Run) -> list[RejectReason]:
    """Every reason, the most frequent first, each with the targets in plan order that got it."""
    texts: dict[_Key, Counter[str]] = {}
    proxies: dict[_Key, dict[str, None]] = {}
    for proxy_id in run.targets:
        state = run.states.get(proxy_id)
        for refusal in refusals_of(state) if state else ():
            key = refusal.signature, refusal.error_code
            texts.setdefault(key, Counter())[refusal.text] += 1
            proxies.setdefault(key, {})[proxy_id] = None
    ordered = sorted(texts, key=lambda key: (-texts[key].total(), key[0], key[1] or ""))
    return [_reason(run, key, texts[key], list(proxies[key])) for key in ordered]


def _reason(run: Run, key: _Key, texts: Counter[str], proxy_ids: list[str]) -> RejectReason:
    reasons = [text for text, _count in texts.most_common()]
    return RejectReason(
        reason=reasons[0],
        signature=key[0],
        reasons=reasons,
        error_code=key[1],
        count=texts.total(),
        proxy_ids=proxy_ids,
        upgraded=sum(run.states[proxy_id].outcome in UPGRADED for proxy_id in proxy_ids),
    )


def refusals_of(state: TargetState) -> Iterator[Refusal]:
    """Every no that one target got, in order; at least one when it is `rejected`."""
    found = False
    for attempt in state.attempts:
        for refusal in refusals(attempt.answer) if attempt.answer else ():
            found = True
            yield refusal
    if not found and state.outcome is Outcome.REJECTED:
        yield Refusal(state.reason or "refused", state.error_code)
