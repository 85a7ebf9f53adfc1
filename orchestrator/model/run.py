"""The run: what the journal says, folded. `apply` takes one record and costs O(1), live and at recovery alike.

It decides nothing. What follows from the state is decided in the executor; what is told of it, in the report.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.model.durations import Durations
from orchestrator.model.outcome import Outcome, Phase
from orchestrator.model.plan import Failures
from orchestrator.model.record import (
    AnswerSeen,
    AttemptDisproved,
    CommandIgnored,
    DoubtLooked,
    DoubtRemains,
    FollowTimedOut,
    HoldReleased,
    HoldSet,
    Intent,
    JobSeen,
    Postponed,
    PreflightDone,
    Record,
    ReturnedToWaiting,
    Reverified,
    RunEnded,
    RunStarted,
    ScopeGivenUp,
    ScopeOpened,
    ScopePaused,
    ScopeThrottled,
    ScopeUsed,
    SessionEnded,
    SessionStarted,
    Settled,
    VersionAdopted,
    VersionReached,
    WaveApproved,
    WaveDone,
    WaveOpened,
    WaveSoaking,
    WorkflowAdopted,
)
from orchestrator.model.state import Attempt, TargetState, is_accept, is_reject
from orchestrator.model.tally import Tally
from orchestrator.model.target import Target


@dataclass(slots=True)
class WaveStatus:
    """Where a wave stands. `passed`: it was held because nothing succeeded, and a person released it."""

    name: str
    opened_at: datetime | None = None
    soaks_until: datetime | None = None
    done_at: datetime | None = None
    approved: bool = False
    passed: bool = False
    sent: int = 0
    targets: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ScopeStatus:
    """Where a scope stands, and how much it was used."""

    name: str
    paused: str | None = None
    given_up: str | None = None
    throttled_until: datetime | None = None
    calls: int = 0
    throttled: int = 0
    rate_limit: float | None = None
    seconds: float = 0.0


class Run:
    """The state of a run.

    Args:
        targets: every target, in plan order.
        waves: names of the waves, in order.
        scopes: names of the scopes, in order.
        failures: what counts as harm; it may change between sessions, but not while a `Run` lives.
    """

    def __init__(
        self, targets: Iterable[Target], *, waves: Iterable[str], scopes: Iterable[str], failures: Failures
    ) -> None:
        self.targets: Mapping[str, Target] = {target.proxy_id: target for target in targets}
        self.failures = failures
        self.states: dict[str, TargetState] = {}
        self.waves = {name: WaveStatus(name) for name in waves}
        self.scopes = {name: ScopeStatus(name) for name in scopes}
        self.tally = Tally()
        self.started: RunStarted | None = None
        self.sessions: list[SessionStarted] = []
        self.session_ended: SessionEnded | None = None
        self.ended: RunEnded | None = None
        self.hold: HoldSet | None = None
        self.last_at: datetime | None = None
        self.commands_seen = 0
        self.rejects: Counter[str] = Counter()
        self.known_rejects: set[str] = set()
        self.workflows: dict[str, str] = {}
        self.job_names: dict[str, set[str]] = {}
        self.durations = Durations()
        self.successes = 0
        self.upgrade_calls = 0

    # --- reading ---------------------------------------------------------------------------------------------------

    def state(self, proxy_id: str) -> TargetState:
        """The state of one target, made when it is asked for the first time."""
        state = self.states.get(proxy_id)
        if state is None:
            state = self.states[proxy_id] = TargetState(self.targets[proxy_id])
        return state

    def standing(self, proxy_id: str) -> str:
        """Outcome or phase of a target, without making a state for one that has no record."""
        state = self.states.get(proxy_id)
        return Phase.WAITING.value if state is None else state.standing

    @property
    def total(self) -> int:
        """Number of targets."""
        return len(self.targets)

    @property
    def counted(self) -> int:
        """Targets not yet known to be `already` or `skipped`: what percentages of budgets are taken of."""
        return self.total - self.tally.fleet.left_out

    @property
    def settled(self) -> int:
        """Targets that have their outcome."""
        return sum(self.tally.fleet.standing[outcome.value] for outcome in Outcome)

    @property
    def waiting(self) -> int:
        """Targets that are neither settled nor open."""
        return self.total - self.settled - self.tally.fleet.open

    def open_states(self) -> list[TargetState]:
        """Every target that holds a slot. Scans what was touched: for the start of a session and for reports."""
        return [state for state in self.states.values() if state.is_open]

    # --- folding ---------------------------------------------------------------------------------------------------

    def apply(self, record: Record) -> None:
        """Fold one record into the state."""
        self.last_at = record.at
        self.commands_seen = max(self.commands_seen, getattr(record, "command", 0))
        if record.target is None:
            self._apply_to_run(record)
            return
        state = self.state(record.target)
        self.tally.remove(state, self.failures)
        try:
            self._apply_to_target(state, record)
        finally:
            self.tally.add(state, self.failures)

    def _apply_to_run(self, record: Record) -> None:  # noqa: C901, PLR0912  # one line for each record of the run
        match record:
            case RunStarted():
                self.started = record
                self.commands_seen = record.commands_seen
                self.known_rejects.update(record.known_rejects)
            case SessionStarted():
                self._open_session(record)
            case SessionEnded():
                self.session_ended = record
            case RunEnded():
                self.ended = record
            case WaveOpened():
                self.waves[record.wave].opened_at = record.at
            case WaveSoaking():
                self.waves[record.wave].soaks_until = record.until
            case WaveDone():
                self.waves[record.wave].done_at = record.at
            case WaveApproved():
                self.waves[record.wave].approved = True
                if self.hold and self.hold.cause == "approval" and self.hold.wave == record.wave:
                    self.hold = None
            case HoldSet():
                self.hold = record
            case HoldReleased():
                self._release()
            case ScopePaused() | ScopeThrottled() | ScopeOpened() | ScopeGivenUp() | ScopeUsed():
                self._apply_to_scope(record)
            case _:
                pass

    def _open_session(self, record: SessionStarted) -> None:
        self.sessions.append(record)
        self.session_ended = None
        for scope in self.scopes.values():
            scope.paused = scope.given_up = None

    def _release(self) -> None:
        if self.hold and self.hold.cause == "wave_failed" and self.hold.wave:
            self.waves[self.hold.wave].passed = True
        if self.hold and self.hold.cause == "approval" and self.hold.wave:
            self.waves[self.hold.wave].approved = True
        self.hold = None
        self.known_rejects.update(self.rejects)
        self.tally.forgive()

    def _apply_to_scope(self, record: ScopePaused | ScopeThrottled | ScopeOpened | ScopeGivenUp | ScopeUsed) -> None:
        scope = self.scopes[record.scope]
        match record:
            case ScopePaused():
                scope.paused = record.why
            case ScopeThrottled():
                scope.throttled_until = record.until
            case ScopeOpened():
                scope.paused = scope.given_up = None
            case ScopeGivenUp():
                scope.given_up = record.why
            case ScopeUsed():
                scope.calls += record.calls
                scope.throttled += record.throttled
                scope.rate_limit = record.rate_limit
                scope.seconds += record.seconds

    def _apply_to_target(self, state: TargetState, record: Record) -> None:  # noqa: C901, PLR0912  # one line for each
        match record:
            case PreflightDone():
                self._join_wave(state, record.wave)
                state.not_before = None
            case Postponed():
                self._postpone(state, record)
            case Intent():
                self._intend(state, record)
            case AnswerSeen():
                self._answer(state, record)
            case DoubtLooked():
                state.evidence.append(record.finding)
            case WorkflowAdopted():
                self._adopt(state, record)
            case VersionAdopted():
                state.upgraded_by = record.version
                state.phase = Phase.IN_FLIGHT
                state.evidence.append(record.evidence)
            case AttemptDisproved():
                state.phase = Phase.WAITING
                state.evidence.append(record.evidence)
            case DoubtRemains():
                state.phase = Phase.IN_DOUBT
                state.reason = record.why
            case JobSeen():
                self._job(state, record)
            case VersionReached():
                state.upgraded_by = record.version
                state.phase = Phase.IN_FLIGHT
            case FollowTimedOut():
                state.phase = Phase.TIMED_OUT
                state.reason = record.why
            case Reverified():
                self._reverify(state, record)
            case Settled():
                self._settle(state, record)
            case ReturnedToWaiting():
                state.phase = Phase.WAITING
                state.doubtful_from = None
                state.reason = None
                state.evidence.append(f"settled as not sent by {record.settled_by}: {record.note}")
            case CommandIgnored() | _:
                pass

    def _join_wave(self, state: TargetState, wave: str) -> None:
        if state.wave is None:
            state.wave = wave
            self.waves[wave].targets.append(state.key)

    def _postpone(self, state: TargetState, record: Postponed) -> None:
        self._join_wave(state, record.wave)
        state.phase = Phase.WAITING
        state.not_before = record.until
        state.reason, state.error_code = record.why, record.error_code
        if record.busy:
            state.busy_since = state.busy_since or record.at
            state.busy_times += 1

    def _intend(self, state: TargetState, record: Intent) -> None:
        self._join_wave(state, record.wave)
        if not state.attempts:
            self.waves[record.wave].sent += 1
        state.attempts.append(Attempt(record))
        state.phase = Phase.IN_FLIGHT
        state.reason = state.error_code = None
        self.upgrade_calls += 1

    def _answer(self, state: TargetState, record: AnswerSeen) -> None:
        attempt = state.attempts[record.attempt - 1]
        attempt.answer = record
        for entry in record.update_result:
            if is_reject(entry):
                self.rejects[entry.error_message or "REJECT without a reason"] += 1
        if record.verdict == "refused":
            self.rejects[record.error_msg or record.reason or "refused"] += 1
        if record.verdict in ("accepted", "partial"):
            self._accept(state, record)
        elif record.verdict == "in_doubt":
            state.phase = Phase.DOUBT
            state.doubtful_from = state.doubtful_from or attempt.intent.at

    def _accept(self, state: TargetState, record: AnswerSeen) -> None:
        state.phase = Phase.IN_FLIGHT
        state.accepted_at = record.at
        for entry in record.update_result:
            if is_accept(entry) and entry.workflow_id:
                self._own(state, entry.workflow_id)

    def _own(self, state: TargetState, workflow_id: str) -> None:
        state.jobs.setdefault(workflow_id, None)
        self.workflows[workflow_id] = state.key

    def _adopt(self, state: TargetState, record: WorkflowAdopted) -> None:
        self._own(state, record.workflow_id)
        state.phase = Phase.IN_FLIGHT
        state.accepted_at = state.accepted_at or record.at
        state.evidence.append(record.evidence)
        state.reason = None

    def _job(self, state: TargetState, record: JobSeen) -> None:
        self._own(state, record.workflow_id)
        state.jobs[record.workflow_id] = record
        if record.ended:
            state.phase = Phase.IN_FLIGHT
            state.reason = None
            if state.accepted_at:
                self.durations.add((record.at - state.accepted_at).total_seconds())
        if record.name:
            self.job_names.setdefault(state.target.scope, set()).add(record.name)

    def _settle(self, state: TargetState, record: Settled) -> None:
        if record.wave is not None:
            self._join_wave(state, record.wave)
        state.phase = Phase.SETTLED
        state.outcome = record.outcome
        state.reason, state.error_code = record.reason, record.error_code
        state.settled_by, state.settled_at = record.settled_by, record.at
        state.verified_version = record.verified_version or state.verified_version
        if record.evidence:
            state.evidence.append(record.evidence)
        if record.outcome in (Outcome.SUCCEEDED, Outcome.ACCEPTED, Outcome.PARTIAL):
            self.successes += 1

    def _reverify(self, state: TargetState, record: Reverified) -> None:
        state.verified_version = record.version or state.verified_version
        if not record.healthy:
            state.outcome = Outcome.FAILED
            state.reason = record.finding
