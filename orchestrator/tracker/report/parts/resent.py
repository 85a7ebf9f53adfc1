"""Proxies for which more than one upgrade call was sent: each call with its answer, and what was found in between."""

from collections.abc import Iterator

from orchestrator.tracker.report.schema import TargetReport
from orchestrator.tracker.report.why import attempt_words


def resent_lines(target: TargetReport) -> Iterator[str]:
    """The calls in order, then the evidence: what shows that none of them was a second upgrade."""
    yield " ".join(filter(None, (target.called, target.proxy_id)))
    for attempt in target.attempts:
        verdict = f", {attempt.verdict}" if attempt.verdict else ""
        yield f"  {attempt_words(attempt)}{verdict}"
    yield from (f"  {found}" for found in target.evidence or ())
