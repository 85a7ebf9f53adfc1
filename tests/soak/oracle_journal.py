"""The journal of a trial, judged by the rules that bind every journal."""

from judge.journal import JournalJudge
from judge.rule import Found
from judge.session import Session
from soak.evidence import Evidence, Process
from soak.judged_calendar import Calendar
from soak.loop import instant


def journal_rules(evidence: Evidence) -> Found:
    """Every rule that one reading of the journal can show; its instants are put right."""

    def session_of(number: int) -> Session:
        return _session(evidence.processes[number - 1])

    judge = JournalJudge(evidence.fleet.plan, session_of, Calendar(evidence).readings)
    yield from judge.read(evidence.told)


def _session(process: Process) -> Session:
    """What nobody can read in the journal of a process."""
    stop_s = process.ordeal.stop_s
    ends_s = {"starts were to end before": process.until_s}
    ends_s["the process was asked to stop before"] = None if stop_s is None else process.began_s + stop_s
    return Session(
        limits=process.plan.limits,
        no_starts_from={why: instant(at_s) for why, at_s in ends_s.items() if at_s is not None},
        raised=process.raised,
    )
