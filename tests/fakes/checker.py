"""Reads a journal and says whether it keeps the rules. Knows nothing of the executor, only the records and the plan."""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

from fakes.checker_fit import Fit
from fakes.checker_known import Fleet, Known
from fakes.checker_limits import Limits
from fakes.checker_waves import Waves

from orchestrator.model import record as r
from orchestrator.model.outcome import Outcome
from orchestrator.model.plan import Plan
from orchestrator.model.record import Record

_PREFLIGHT_LASTS = timedelta(seconds=60)


class Checker:
    """Feed it every record in order; it raises `AssertionError` at the first one that breaks a rule.

    Args:
        ahead: how far the calendar is ahead of the clock by which the records are dated.

    Attributes:
        met: how often what was met, so that one can see what was tried.
    """

    def __init__(self, plan: Plan, ahead: timedelta = timedelta()) -> None:
        self.plan = plan
        self.met: Counter[str] = Counter()
        self.fleet = Fleet(plan)
        self.targets = self.fleet.targets
        self.waves = Waves(plan, self.fleet, self.met)
        self.limits = Limits(plan, self.fleet, self.met)
        self.fit = Fit(plan, self.met, ahead)
        self.tokens: set[str] = set()
        self.held: r.HoldSet | None = None
        self.ended = False

    def read(self, records: Iterable[Record]) -> "Checker":
        """Feed many."""
        for number, record in enumerate(records):
            try:
                self.feed(record)
            except AssertionError as error:
                raise AssertionError(f"record {number}: {error}: {record}") from error
        return self

    def feed(self, record: Record) -> None:
        """Take in one record."""
        assert not self.ended or isinstance(record, r.SessionEnded | r.SessionStarted), "after the end"
        if record.target is None:
            self._run_record(record)
        else:
            self._target_record(self.targets[record.target], record)

    # --- the run -----------------------------------------------------------------------------------------------------

    def _run_record(self, record: Record) -> None:  # one line for each record
        match record:
            case r.HoldSet():
                self.held = record
                self.met[f"held: {record.cause}"] += 1
            case r.HoldReleased():
                self.waves.release(self.held)
                self.held = None
                self.fleet.forgive()
            case r.WaveApproved():
                self.waves.approve(record)
                if self.held and self.held.cause == "approval" and self.held.wave == record.wave:
                    self.held = None
            case r.WaveOpened():
                self.waves.open(record)
            case r.WaveSoaking():
                self.waves.soak(record)
            case r.WaveDone():
                self.waves.done(record)
            case r.RunEnded():
                self.ended = True
                assert all(known.settled_at for known in self.targets.values()), "a target without an outcome"
            case r.SessionStarted():
                self.met["sessions"] += 1
                for known in self.targets.values():
                    known.doubt = known.doubt or known.unanswered
                    known.unanswered = False
            case _:
                pass

    # --- one target --------------------------------------------------------------------------------------------------

    def _target_record(self, known: Known, record: Record) -> None:  # one case a record
        wave = getattr(record, "wave", None)
        if wave is not None:
            assert known.wave in (None, wave), "it changed its wave"
            known.wave = wave
        match record:
            case r.PreflightDone():
                known.read_at = record.at
            case r.Intent():
                self._intent(known, record)
            case r.AnswerSeen():
                known.unanswered, known.answer = False, record
                self._answer(known, record)
            case r.AnswerMissing():
                known.doubt, known.standing = True, "doubt"
            case r.Postponed():
                assert not known.doubt, "postponed in doubt"
                known.waits()
            case r.AttemptDisproved():
                self._disproved(known, record)
            case r.DoubtRenewed():
                known.open, known.doubt, known.standing = True, True, "doubt"
            case r.ReturnedToWaiting():
                known.waits()
            case r.DoubtRemains():
                known.standing = "in_doubt"
            case r.FollowTimedOut():
                known.standing = "timed_out"
            case r.StoryFailed() if known.open and not known.settled_at:
                known.standing = "in_doubt"
            case r.WorkflowAdopted():
                known.accepted.add(record.workflow_id)
                known.doubt, known.standing = False, "in_flight"
            case r.VersionAdopted() | r.VersionReached():
                known.reached, known.doubt, known.standing = True, False, "in_flight"
            case r.JobSeen():
                self._job(known, record)
            case r.Settled():
                self._settle(known, record)
            case r.Reverified():
                assert known.standing == "succeeded", "re-verified although it did not succeed"
                known.standing, known.reread_at = ("succeeded" if record.healthy else "failed"), record.at
            case _:
                pass

    def _intent(self, known: Known, record: r.Intent) -> None:
        assert not known.settled_at, "sent after it was settled"
        assert not known.open, "sent beside an open attempt"
        assert not known.doubt, "sent in doubt"
        assert record.attempt == len(known.intents) + 1, "wrongly numbered"
        assert record.token not in self.tokens, "the token was used before"
        assert self.held is None, "sent under a hold"
        assert known.read_at is not None, "sent without a preflight"
        assert record.at - known.read_at <= max(_PREFLIGHT_LASTS, self._few_calls), "the preflight is too old"
        self.fit.check(known, record.at)
        self.tokens.add(record.token)
        known.intents.append(record)
        known.open, known.unanswered, known.standing = True, True, "in_flight"
        self.waves.intent(record, known)
        self.limits.check(known)
        self.met["starts"] += 1

    @property
    def _few_calls(self) -> timedelta:
        rate = self.plan.limits.rate
        return timedelta(seconds=3 / rate) if isinstance(rate, float) else timedelta()

    def _answer(self, known: Known, record: r.AnswerSeen) -> None:
        if record.verdict in ("accepted", "partial"):
            known.accepted.update(entry.workflow_id for entry in record.update_result if entry.workflow_id)
        doubted_before = any(other.attempt < record.attempt for other in known.intents if other.token in known.doubted)
        if record.verdict == "in_doubt":
            known.doubt, known.standing = True, "doubt"
            known.doubted.add(known.intents[record.attempt - 1].token)
        elif doubted_before and record.verdict in ("rejected", "refused", "busy"):
            known.doubt, known.standing = True, "doubt"

    def _disproved(self, known: Known, record: r.AttemptDisproved) -> None:
        assert known.doubt, "disproved without a doubt"
        period = max(self.plan.retry.resend_after_s, 2 * self.plan.http.timeout_s)
        assert record.at >= known.intents[-1].at + timedelta(seconds=period), "disproved too early"
        known.doubted.add(known.intents[-1].token)
        known.waits()

    def _job(self, known: Known, record: r.JobSeen) -> None:
        assert record.workflow_id in known.accepted, "followed a job that is not its own"
        if record.ended:
            known.ended[record.workflow_id] = record.status
            known.standing = "in_flight"
            self.fit.learn(known, record)

    def _settle(self, known: Known, record: r.Settled) -> None:
        assert not known.settled_at, "settled twice"
        given_up = self.plan.follow.to == "accepted" and record.reason == "workflow_id not recovered"
        assert record.settled_by is not None or given_up or not known.doubt, "settled in doubt"
        if record.outcome is Outcome.SUCCEEDED and record.settled_by is None:
            self._success(known, record)
        if record.outcome in (Outcome.ALREADY, Outcome.SKIPPED, Outcome.REJECTED, Outcome.DEFERRED):
            assert not known.accepted, "claimed that nothing began"
        if record.outcome is Outcome.ALREADY:
            assert not known.intents, "already, although this run sent it"
        known.settled_at, known.open, known.doubt = record.at, False, False
        known.standing = record.outcome.value
        self.met[f"outcome: {known.standing}"] += 1

    def _success(self, known: Known, record: r.Settled) -> None:
        if self.plan.follow.to == "verified":
            assert record.verified_version == self.plan.target_version, "success without the version"
        ended = {known.ended.get(workflow_id, "").lower() for workflow_id in known.accepted}
        assert known.reached or ended == {"completed"}, "success without an end"

    def counts(self) -> Counter[str]:
        """How many targets stand where."""
        return Counter(known.standing for known in self.targets.values())
