"""Reads a journal and says which rules it breaks. Knows nothing of the executor, only the records and the plan."""

from collections import Counter
from collections.abc import Iterable

from judge.attempts import Attempts
from judge.budgets import Budgets
from judge.ends import Ends
from judge.fit import Fit
from judge.known import Fleet, Known
from judge.limits import Limits
from judge.rule import Found, Rule, Violation
from judge.session import Readings, Session, SessionOf, as_the_clock_says
from judge.targets import Targets
from judge.waves import Waves

from orchestrator.model.plan.plan import Plan
from orchestrator.model.record import record as r
from orchestrator.model.record.capacity import SubnetRead
from orchestrator.model.record.record import Record


class JournalJudge:
    """Give it every record in order, with right instants; it says what is wrong.

    Args:
        plan: the rules that are kept to.
        session_of: what bound each session; None when the plan says it all.
        readings: what the calendar may show at a right instant.

    Attributes:
        met: how often what was met, so that one can see what was tried.
    """

    def __init__(self, plan: Plan, session_of: SessionOf | None = None, readings: Readings = as_the_clock_says) -> None:
        self.met: Counter[str] = Counter()
        self.fleet = Fleet(plan)
        self._session_of = session_of or (lambda _number: Session(plan.limits))
        self._session: Session | None = None
        self._raised = False
        self._waves = Waves(plan, self.fleet, self.met)
        self._limits = Limits(plan, self.fleet, self.met)
        self._budgets = Budgets(plan, self.fleet, self.met)
        self._fit = Fit(plan, self.met, readings)
        self._attempts = Attempts(plan, self.fleet)
        self._targets = Targets(plan, self.fleet, self._attempts, self._fit, self.met)
        self._ends = Ends(plan, self.fleet)
        self._held: r.HoldSet | None = None
        self._ended = False

    def read(self, records: Iterable[Record]) -> Found:
        """Everything that is wrong with a journal, with its place."""
        for number, record in enumerate(records, 1):
            for violation in self._take(record):
                yield Violation(violation.rule, f"{violation.what} (record {number}: {record})")

    def _take(self, record: Record) -> Found:
        if record.target is None:
            yield from self._of_run(record)
        else:
            known = self.fleet.targets[record.target]
            yield from self._of_target(known, record)
            self.fleet.count(known)

    # --- the run -----------------------------------------------------------------------------------------------------

    def _of_run(self, record: Record) -> Found:  # one line for each record
        match record:
            case r.SessionStarted():
                self._begin(record)
            case r.SessionEnded():
                yield from self._ends.session(record, held=self._held is not None, raised=self._raised)
            case r.HoldSet():
                self._held = record
                self.met[f"held: {record.cause}"] += 1
            case r.HoldReleased():
                self._waves.release(self._held)
                self._held = None
                self.fleet.forgive()
            case r.WaveApproved():
                self._waves.approve(record)
                if self._held and self._held.cause == "approval" and self._held.wave == record.wave:
                    self._held = None
            case r.WaveOpened():
                yield from self._waves.open(record)
            case r.WaveSoaking():
                yield from self._waves.soak(record)
            case r.WaveDone():
                yield from self._waves.done(record)
            case r.ScopeGivenUp() | r.ScopeOpened():
                self._ends.scope(record)
            case SubnetRead():
                self._ends.subnet(record)
            case r.RunEnded():
                self._ended = True
                if not self.fleet.settled:
                    yield Violation(Rule.ENDS, "the run ends with a target without an outcome")
            case _:
                pass

    def _begin(self, record: r.SessionStarted) -> None:
        self._session = self._session_of(record.number)
        self._limits.limits = self._session.limits
        self._raised = self._raised or self._session.raised
        self._ends.session_began()
        self.fleet.cut_off()
        self.met["sessions"] += 1

    # --- one target --------------------------------------------------------------------------------------------------

    def _of_target(self, known: Known, record: Record) -> Found:
        if self._ended and not (isinstance(record, r.AnswerSeen) and known.missed_answer(record.attempt)):
            yield Violation(Rule.ENDS, "after the end of the run")
        wave = getattr(record, "wave", None)
        if wave is not None and known.wave not in (None, wave):
            yield Violation(Rule.WAVES, f"it changed its wave: {known.wave}, {wave}")
        known.wave = wave or known.wave
        yield from self._ends.take(known, record)
        if isinstance(record, r.Intent):
            yield from self._intent(known, record)
        elif isinstance(record, r.AnswerSeen | r.AttemptDisproved) and record.attempt not in known.numbers:
            yield Violation(Rule.INTENT, f"there is no intent of attempt {record.attempt}")
        else:
            yield from self._targets.take(known, record)

    def _intent(self, known: Known, record: r.Intent) -> Found:
        yield from self._attempts.intent(known, record, self._session)
        if self._held is not None:
            yield Violation(Rule.HOLD, f"sent under a hold: {self._held}")
        yield from self._fit.check(known, record.at)
        known.intents.append(record)
        known.open, known.unanswered, known.standing = True, True, "in_flight"
        yield from self._waves.intent(record, known)
        yield from self._limits.check(known)
        yield from self._budgets.check(known)
        self.met["starts"] += 1


def expect_kept(plan: Plan, records: Iterable[Record], readings: Readings = as_the_clock_says) -> Counter[str]:
    """How often what was met in a journal that keeps every rule.

    Raises:
        AssertionError: a rule was broken, the first one.
    """
    judge = JournalJudge(plan, readings=readings)
    broken = next(judge.read(records), None)
    assert broken is None, str(broken)
    return judge.met
