"""The run: what the journal says, folded. `apply` takes one record and costs O(1), live and at recovery alike.

It decides nothing. What follows from the state is decided in the executor; what is said of it, in the report.
"""

from array import array
from collections.abc import Iterable
from datetime import datetime

from orchestrator.model.learned.gate_status import fold_gates
from orchestrator.model.plan.plan import Failures
from orchestrator.model.plan.target import Target
from orchestrator.model.record.outcome import Outcome, Phase
from orchestrator.model.record.part_record import USAGE
from orchestrator.model.record.record import (
    ClockStepped,
    CloudEventsRead,
    CloudTimeLearned,
    EarlierOutcome,
    EarlierStarts,
    HoldReleased,
    HoldSet,
    LimitsChanged,
    MetricsMissing,
    OutcomeKept,
    PartFailed,
    Record,
    RereadAsked,
    RunEnded,
    RunStarted,
    ScopeGivenUp,
    ScopeHeard,
    ScopeLeft,
    ScopeOpened,
    ScopePaused,
    ScopeServed,
    ScopeSilent,
    ScopeThrottled,
    ScopeUsed,
    SessionEnded,
    SessionStarted,
    SubnetRead,
    WaveApproved,
    WaveDone,
    WaveOpened,
    WaveSoaking,
)
from orchestrator.model.reply.signature import signature
from orchestrator.model.run.act import BY_PERSONS, Act, act_of
from orchestrator.model.run.aside import set_aside
from orchestrator.model.run.fold import fold
from orchestrator.model.run.fold_cloud import read_cloud
from orchestrator.model.run.known import Indexes
from orchestrator.model.run.night import Night
from orchestrator.model.run.state import TargetState
from orchestrator.model.run.states.states import MOST_UNPACKED
from orchestrator.model.run.tally import NOTHING, Tally


class Run(Indexes):
    """The state of a run.

    Args:
        targets: every target, in plan order.
        waves: names of the waves, in order.
        scopes: names of the scopes, in order.
        failures: what counts as harm; it may change between sessions, but not while a `Run` lives.
        most_unpacked: how many settled states may stay unpacked.
    """

    def __init__(
        self,
        targets: Iterable[Target],
        *,
        waves: Iterable[str],
        scopes: Iterable[str],
        failures: Failures,
        most_unpacked: float = MOST_UNPACKED,
    ) -> None:
        super().__init__(targets, waves=waves, scopes=scopes, failures=failures, most_unpacked=most_unpacked)
        self.started: RunStarted | None = None
        self.sessions: list[SessionStarted] = []
        self.session_ended: SessionEnded | None = None
        self.ended: RunEnded | None = None
        self.hold: HoldSet | None = None
        #: The release after which nothing has held the fleet.
        self.released: HoldReleased | None = None
        #: What a person last changed of the limits, or that they are the plan's again.
        self.limits: LimitsChanged | None = None
        self._failed_waves: list[str] = []
        self.last_at: datetime | None = None
        self.commands_seen = 0
        self.kept: list[OutcomeKept] = []
        self._lost_count = False
        self.night = Night()
        self.acts: list[Act] = []

    # --- reading ---------------------------------------------------------------------------------------------------

    def standing(self, proxy_id: str) -> str:
        """Outcome or phase of a target, without making a state for one that has no record."""
        return self.states.standing(proxy_id) or Phase.WAITING.value

    @property
    def approved(self) -> frozenset[str]:
        """SHA-256 of each saved preview that a session of the run was bound to, from its beginning on."""
        begun = () if self.started is None else (self.started.approved,)
        return frozenset(filter(None, (*begun, *(session.approved for session in self.sessions))))

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
    def calls_missing(self) -> bool:
        """Whether calls were made, or may have been, that no record counts: of a session that was killed or goes on."""
        return self._lost_count or (bool(self.sessions) and self.session_ended is None)

    @property
    def waiting(self) -> int:
        """Targets that are neither settled nor open."""
        return self.total - self.settled - self.tally.fleet.open

    def open_states(self) -> list[TargetState]:
        """Every target that holds a slot. Scans what was touched: for the start of a session and for reports."""
        return [state for state in self.states.unpacked() if state.is_open]

    def set_aside(self) -> list[TargetState]:
        """Every target that a record is known of which cannot be applied. Scans as `open_states`."""
        return [state for state in self.states.unpacked() if state.set_aside]

    def recount(self, failures: Failures) -> None:
        """Count again what is harm, when a session has other `failures` than the one before."""
        if failures == self.failures:
            return
        self.failures = failures
        self.tally = Tally(epoch=self.tally.epoch)
        for state in self.states.values():
            self.tally.move(state, NOTHING, self.tally.mark(state, failures))
            self.states.changed(state)

    def others_got_through(self, state: TargetState) -> bool:
        """Whether an attempt for another target of its scope was let in, in this run."""
        return self.scopes[state.target.scope].got_through > state.got_through

    # --- folding ---------------------------------------------------------------------------------------------------

    def apply(self, record: Record) -> None:
        """Fold one record into the state. If it cannot be applied to its target, that one is set aside.

        Raises:
            Exception: it is about no target of the run, or about the run itself, and does not fit the records before.
        """
        last_at, self.last_at = self.last_at, record.at
        self.commands_seen = max(self.commands_seen, getattr(record, "command", 0))
        if type(record) in BY_PERSONS and (act := act_of(record)):
            self.acts.append(act)
        if record.target is None or isinstance(record, OutcomeKept | EarlierOutcome):
            self._apply_to_run(record)
            fold_gates(self.gates, record, last_at)
            self.night.note(record, last_at, self.hold, self.scopes)
            self.hosts.note(record, last_at)
            return
        state = self.state(record.target)
        before = self.tally.mark(state, self.failures)
        try:
            fold(self, state, record)
        except Exception as error:  # noqa: BLE001  # a bulkhead: whatever it is, it touches this target alone
            for workflow_id in set_aside(state, record, error):
                self.own(state, workflow_id)
            state.wave = state.wave if state.wave in self.waves else None
        self.tally.move(state, before, self.tally.mark(state, self.failures))
        self.index(state)
        self.states.changed(state)

    def _apply_to_run(self, record: Record) -> None:  # noqa: C901, PLR0912  # one line for each record of the run
        match record:
            case RunStarted():
                self.started = record
                self.commands_seen = record.commands_seen
                self.known_rejects.update(map(signature, record.known_rejects))
            case OutcomeKept():
                self.kept.append(record)
            case EarlierOutcome(target=str(key)):
                self.earlier[key] = record
            case EarlierStarts():
                self.sent_at = array("d", sorted((*self.sent_at, *map(datetime.timestamp, record.instants))))
            case SubnetRead() | CloudEventsRead():
                read_cloud(self, record)
            case LimitsChanged():
                self.limits = record
            case SessionStarted():
                self._open_session(record)
            case SessionEnded():
                self.session_ended = record
            case RunEnded():
                self.ended = record
            case WaveOpened():
                self.waves[record.wave].opened_at = record.at
            case WaveSoaking():
                self._soak(record)
            case WaveDone():
                self.end_wave(record)
            case WaveApproved():
                self._approve(record)
            case HoldSet():
                self._hold(record)
            case PartFailed():
                self._tell(record)
            case MetricsMissing():
                self.scopes[record.scope].unmetered = True
                self.warnings.append(record.words)
            case HoldReleased():
                self._release(record)
            case CloudTimeLearned() | ClockStepped():
                self.timeline.note(record)
            case ScopePaused() | ScopeThrottled() | ScopeOpened() | ScopeGivenUp() | ScopeUsed():
                self.scopes[record.scope].apply(record)
            case ScopeSilent() | ScopeHeard() | ScopeServed() | ScopeLeft():
                self.scopes[record.scope].apply(record)
            case RereadAsked():
                self.waves[record.wave].rereading = True
            case _:
                pass

    def _approve(self, record: WaveApproved) -> None:
        self.waves[record.wave].approved, self.waves[record.wave].approved_by = True, record.who
        if self.hold and self.hold.cause == "approval" and self.hold.wave == record.wave:
            self.hold = None

    def _open_session(self, record: SessionStarted) -> None:
        self._lost_count = self.calls_missing
        self.sessions.append(record)
        self.session_ended = None
        self.turns.clear()
        self.troubles, self.host_errors, self.warnings = [], [], []
        self.capacity_denied.clear()
        self.events_denied.clear()
        self.timeline.begin(record)
        for scope in self.scopes.values():
            scope.begin_session(record.at)

    def _tell(self, record: PartFailed) -> None:
        self._lost_count |= record.part == USAGE
        ending = self.host_errors if record.host else self.troubles
        known = ending if record.ends else self.warnings
        if record.words not in known:
            known.append(record.words)

    def _soak(self, record: WaveSoaking) -> None:
        wave = self.waves[record.wave]
        wave.soaks_until = record.until
        wave.soaking = self.timeline.moments(record.at, record.clouds)
        wave.soak_s = (record.until - record.at).total_seconds()

    def _hold(self, record: HoldSet) -> None:
        self.hold, self.released = record, None
        if record.cause == "wave_failed" and record.wave:  # also when a person's hold comes on top of it
            self._failed_waves.append(record.wave)

    def _release(self, record: HoldReleased) -> None:
        for wave in self._failed_waves:
            self.waves[wave].passed = True
        self._failed_waves.clear()
        self._accept_ends()
        if self.hold and self.hold.cause == "approval" and self.hold.wave:
            self.waves[self.hold.wave].approved = True
        self.hold, self.released = None, record
        self.accept_rejects()
        self.tally.forgive()

    def _accept_ends(self) -> None:
        """A person has released what was sent and has ended, or is stuck: none of it fails its wave any more. Scans."""
        for wave in self.waves.values():
            wave.accepted = 0
        for _, state in self.states.known():
            if state.wave is not None:
                self.waves[state.wave].accepted += state.ended_otherwise
