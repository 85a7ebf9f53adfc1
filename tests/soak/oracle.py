"""Judges a trial by its journal and its report, as any run is judged, and by what only a simulated cloud can show.

That is the cloud's books and the log of the wire: what really began, and what was really sent and answered.
"""

from judge.report import report_rules
from judge.rule import Found, Rule, Violation
from soak.evidence import Evidence
from soak.oracle_claims import claims
from soak.oracle_ends import ends
from soak.oracle_harm import harm, secret
from soak.oracle_journal import journal_rules
from soak.oracle_starts import starts
from soak.oracle_wire import wire_rules


def judge(evidence: Evidence) -> list[Violation]:
    """Everything that is wrong with a trial; nothing when all promises were kept."""
    parts = (starts, claims, wire_rules, journal_rules, _report, ends, harm, secret, _folds)
    return [violation for part in parts for violation in part(evidence)]


def _report(evidence: Evidence) -> Found:
    return report_rules(evidence.fleet.plan, evidence.disk.records, evidence.report)


def _folds(evidence: Evidence) -> Found:
    for process in evidence.lives:
        if process.fold_differs is not None:
            yield Violation(Rule.FOLD, f"process {process.number}: {process.fold_differs}")
