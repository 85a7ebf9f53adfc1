"""The judge of a trial. It reads the cloud's books, the log of the wire, the journal and the report, and nothing else.

It shares no decision with the executor: every rule is worked out anew, from what a person could read.
"""

from judge.rule import Found, Rule, Violation
from soak.oracle_claims import claims
from soak.oracle_ends import ends
from soak.oracle_harm import harm, secret
from soak.oracle_journal import journal_rules
from soak.oracle_report import report_rules
from soak.oracle_starts import starts
from soak.oracle_wire import wire_rules
from soak.trial import Evidence


def judge(evidence: Evidence) -> list[Violation]:
    """Everything that is wrong with a trial; nothing when all promises were kept."""
    parts = (starts, claims, wire_rules, journal_rules, report_rules, ends, harm, secret, _folds)
    return [violation for part in parts for violation in part(evidence)]


def _folds(evidence: Evidence) -> Found:
    for process in evidence.processes:
        if process.fold_differs is not None:
            yield Violation(Rule.FOLD, f"process {process.number}: {process.fold_differs}")
