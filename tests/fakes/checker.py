"""Reads a journal and says whether it keeps the rules. Knows nothing of the executor, only the records and the plan."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestrator.model import record as r
from orchestrator.model.amount import Amount
from orchestrator.model.outcome import Outcome
from orchestrator.model.plan import Plan
from orchestrator.model.record import Record
from orchestrator.model.target import Target

_LEFT_OUT = (Outcome.ALREADY, Outcome.SKIPPED)
_PREFLIGHT_LASTS = timedelta(seconds=60)


@dataclass
class Known:
    """What the journal says of one target so far."""

    target: Target
    wave: str | None = None
    read_at: datetime | None = None
    intents: list[r.Intent] = field(default_factory=list)
    open: bool = False
    doubt: bool = False
    unanswered: bool = False
    standing: str = "waiting"
    forgiven: bool = False
    accepted: set[str] = field(default_factory=set)
    ended: dict[str, str] = field(default_factory=dict)
    reached: bool = False
    settled: int = 0


class Checker:
    """Feed it every record in order; it raises `AssertionError` at the first one that breaks a rule."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.targets = {target.proxy_id: Known(target) for target in plan.proxies}
        self.tokens: set[str] = set()
        self.held: r.HoldSet | None = None
        self.done: set[str] = set()
        self.soaks: dict[str, datetime] = {}
        self.opened: set[str] = set()
        self.ended = False
        self.most_open = 0

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
            case r.HoldReleased():
                self.held = None
                for known in self.targets.values():
                    known.forgiven = known.forgiven or self._failed(known) or known.standing == "rejected"
            case r.WaveApproved() if self.held and self.held.cause == "approval" and self.held.wave == record.wave:
                self.held = None
            case r.WaveOpened():
                self.opened.add(record.wave)
            case r.WaveSoaking():
                self.soaks[record.wave] = record.until
            case r.WaveDone():
                self._wave_done(record)
            case r.RunEnded():
                self.ended = True
                assert all(known.settled for known in self.targets.values()), "a target without an outcome"
            case r.SessionStarted():
                for known in self.targets.values():
                    known.doubt = known.doubt or known.unanswered
                    known.unanswered = False
            case _:
                pass

    def _wave_done(self, record: r.WaveDone) -> None:
        members = [known for known in self.targets.values() if known.wave == record.wave]
        assert all(known.settled and not known.open for known in members), "the wave is not settled"
        assert record.at >= self.soaks.get(record.wave, record.at), "the wave has not soaked"
        self.done.add(record.wave)

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
                known.unanswered = False
                self._answer(known, record)
            case r.AnswerMissing():
                known.doubt, known.standing = True, "doubt"
            case r.Postponed():
                assert not known.doubt, "postponed in doubt"
                known.open, known.standing = False, "waiting"
            case r.AttemptDisproved():
                self._disproved(known, record)
            case r.DoubtRenewed():
                known.open, known.doubt, known.standing = True, True, "doubt"
            case r.ReturnedToWaiting():
                known.open, known.doubt, known.standing = False, False, "waiting"
            case r.DoubtRemains():
                known.standing = "in_doubt"
            case r.FollowTimedOut():
                known.standing = "timed_out"
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
                known.standing = "succeeded" if record.healthy else "failed"
            case _:
                pass

    def _intent(self, known: Known, record: r.Intent) -> None:
        assert not known.settled, "sent after it was settled"
        assert not known.open, "sent beside an open attempt"
        assert not known.doubt, "sent in doubt"
        assert record.attempt == len(known.intents) + 1, "wrongly numbered"
        assert record.token not in self.tokens, "the token was used before"
        assert self.held is None, "sent under a hold"
        assert known.read_at is not None, "sent without a preflight"
        assert record.at - known.read_at <= max(_PREFLIGHT_LASTS, self._few_calls), "the preflight is too old"
        assert record.wave in self.opened, "sent before its wave was opened"
        self._window(record.at)
        self._waves_before(record.wave)
        self.tokens.add(record.token)
        known.intents.append(record)
        known.open, known.unanswered, known.standing = True, True, "in_flight"
        self._caps(known)
        self._budgets(known)

    @property
    def _few_calls(self) -> timedelta:
        rate = self.plan.limits.rate
        return timedelta(seconds=3 / rate) if isinstance(rate, float) else timedelta()

    def _window(self, at: datetime) -> None:
        """Knows windows in UTC that do not pass midnight, on any day."""
        if isinstance(self.plan.windows, tuple) and self.plan.windows:
            minute = at.hour * 60 + at.minute
            inside = any(window.opens <= minute < window.closes for window in self.plan.windows)
            assert inside, "sent outside the window"

    def _waves_before(self, wave: str) -> None:
        for other in self.plan.waves:
            if other.name == wave:
                return
            assert other.name in self.done, f"wave {other.name} is not done"

    def _caps(self, known: Known) -> None:
        limits, everybody = self.plan.limits, self.targets.values()
        assert sum(other.unanswered for other in everybody) <= limits.concurrency, "above the concurrency"
        if self.plan.follow.to != "accepted":
            now_open = sum(other.open for other in everybody)
            self.most_open = max(self.most_open, now_open)
            assert now_open <= limits.in_flight.cap(len(self.targets)), "above in_flight"
            for name, most in limits.per_label.items():
                label = known.target.labels.get(name)
                same = sum(other.open and other.target.labels.get(name) == label for other in everybody)
                assert label is None or same <= most, f"above per_label {name}"
        instance = known.target.instance_id
        on_instance = sum(other.open and other.target.instance_id == instance for other in everybody)
        assert on_instance <= limits.per_instance, "above per_instance"

    def _budgets(self, known: Known) -> None:
        failures = self.plan.failures
        wave = next(wave for wave in self.plan.waves if wave.name == known.wave)
        scope = next(scope for scope in self.plan.scopes if scope.name == known.target.scope)
        everybody = list(self.targets.values())
        self._budget("fleet", everybody, failures.max, failures.max_rejected)
        in_wave = [other for other in everybody if other.wave == wave.name]
        if wave.max_failures is not None and not wave.max_failures.percent:
            self._budget(f"wave {wave.name}", in_wave, wave.max_failures, wave.max_rejected)
        in_scope = [other for other in everybody if other.target.scope == scope.name]
        self._budget(f"scope {scope.name}", in_scope, scope.max_failures, scope.max_rejected)

    def _budget(self, whose: str, group: list[Known], most: Amount | None, rejected: Amount | None) -> None:
        base = sum(known.standing not in _LEFT_OUT for known in group)
        counted = [known for known in group if not known.forgiven]
        harm = sum(map(self._failed, counted))
        refused = sum(known.standing == "rejected" for known in counted)
        strict = self.plan.failures.mode == "strict" and self.plan.follow.to != "accepted"
        if most is not None:
            limit = most.budget(base)
            assert harm <= limit, f"sent although the {whose} had spent its failure budget"
            at_risk = harm + sum(known.open and not self._failed(known) for known in counted)
            assert not strict or at_risk <= limit + 1, f"{at_risk} at risk in the {whose}, {limit} failures allowed"
        if rejected is not None:
            assert refused <= rejected.budget(base), f"sent although the {whose} had too many rejections"

    def _failed(self, known: Known) -> bool:
        return known.standing in self.plan.failures.counts

    def _answer(self, known: Known, record: r.AnswerSeen) -> None:
        if record.verdict in ("accepted", "partial"):
            known.accepted.update(entry.workflow_id for entry in record.update_result if entry.workflow_id)
        doubted_before = any(
            other.attempt < record.attempt for other in known.intents if other.token in self._doubted(known)
        )
        if record.verdict == "in_doubt":
            known.doubt, known.standing = True, "doubt"
            self._doubted(known).add(known.intents[record.attempt - 1].token)
        elif doubted_before and record.verdict in ("rejected", "refused", "busy"):
            known.doubt, known.standing = True, "doubt"

    def _doubted(self, known: Known) -> set[str]:
        return known.__dict__.setdefault("doubted", set())  # type: ignore[no-any-return]

    def _disproved(self, known: Known, record: r.AttemptDisproved) -> None:
        assert known.doubt, "disproved without a doubt"
        period = max(self.plan.retry.resend_after_s, 2 * self.plan.http.timeout_s)
        assert record.at >= known.intents[-1].at + timedelta(seconds=period), "disproved too early"
        self._doubted(known).add(known.intents[-1].token)
        known.open, known.doubt, known.standing = False, False, "waiting"

    def _job(self, known: Known, record: r.JobSeen) -> None:
        assert record.workflow_id in known.accepted, "followed a job that is not its own"
        if record.ended:
            known.ended[record.workflow_id] = record.status
            known.standing = "in_flight"

    def _settle(self, known: Known, record: r.Settled) -> None:
        assert not known.settled, "settled twice"
        given_up = self.plan.follow.to == "accepted" and record.reason == "workflow_id not recovered"
        assert record.settled_by is not None or given_up or not known.doubt, "settled in doubt"
        if record.outcome is Outcome.SUCCEEDED and record.settled_by is None:
            self._success(known, record)
        if record.outcome in (Outcome.ALREADY, Outcome.SKIPPED, Outcome.REJECTED, Outcome.DEFERRED):
            assert not known.accepted, "claimed that nothing began"
        known.settled, known.open, known.doubt = 1, False, False
        known.standing = record.outcome.value

    def _success(self, known: Known, record: r.Settled) -> None:
        if self.plan.follow.to == "verified":
            assert record.verified_version == self.plan.target_version, "success without the version"
        ended = {known.ended.get(workflow_id, "").lower() for workflow_id in known.accepted}
        assert known.reached or ended == {"completed"}, "success without an end"

    def counts(self) -> Counter[str]:
        """How many targets stand where."""
        return Counter(known.standing for known in self.targets.values())
