"""Every process comes to an end of its own, and the trial too."""

from judge.rule import Found, Rule, Violation
from soak.evidence import Evidence


def ends(evidence: Evidence) -> Found:
    """What the journal of a process that never ended cannot say."""
    if evidence.endless:
        yield Violation(Rule.ENDS, f"still not at its end after {len(evidence.processes)} processes")
    for process in evidence.lives:
        if process.how in ("stuck", "broken"):
            yield Violation(Rule.ENDS, f"process {process.number}: {process.why}")
