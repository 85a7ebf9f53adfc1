"""The journal of a trial as everybody's rules judge it, once its instants are put right."""

from collections.abc import Iterator
from datetime import timedelta

from fuzz.trial import Evidence
from fuzz.virtual import at_monotonic
from judge.journal import JournalJudge
from judge.report import report_rules
from judge.session import Session
from msgspec.structs import replace

from orchestrator.model.record.record import Record, SessionStarted


def journal_rules(evidence: Evidence) -> Iterator[str]:
    """What journal and report show to be wrong."""
    plan = evidence.plan
    if plan is None or not evidence.records:
        return
    raised = evidence.trial.raises is not None
    judge = JournalJudge(plan, lambda _number: Session(plan.limits, raised=raised))
    for violation in judge.read(_righted(evidence.records)):
        yield str(violation)
    if evidence.shown is not None:
        yield from map(str, report_rules(plan, evidence.records, evidence.shown))


def _righted(records: list[Record]) -> Iterator[Record]:
    """A session's clock is steady, and as wrong as this machine's was when it began."""
    wrong = timedelta()
    for record in records:
        if isinstance(record, SessionStarted) and record.clocks is not None:
            wrong = record.at - at_monotonic(record.clocks.monotonic_s)
        yield replace(record, at=record.at - wrong)
