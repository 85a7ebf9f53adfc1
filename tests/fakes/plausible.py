"""Random plausible runs: fleets, and records in an order in which the executor could have written them.

Everything comes from one seed. The records are chosen by where the fold of those before stands, so that every record
fits; they need not be wise.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from fakes.recorded import BEGIN, NEW, OLD, WAVES, empty_run, make_plan, make_targets, run_started

from orchestrator.model.record import record as r
from orchestrator.model.record.outcome import Outcome, Phase
from orchestrator.model.record.record import Record
from orchestrator.model.reply.reply import Entry
from orchestrator.model.run.state import TargetState

REASONS = ("Upgrade failed due to insufficient subnet ip", "The proxy is busy", 'a "quoted" Grund, ünïcode 代理', None)


@dataclass
class PlausibleRun:
    """A run that grows by one record, or a few, at every `step`."""

    seed: int
    count: int = 8
    records: list[Record] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.targets = make_targets(self.count, scopes=self.random.choice((("default",), ("bj4", "sh1"))))
        self.plan = make_plan(self.targets)
        self.run = empty_run(self.plan, self.targets)
        self.at = BEGIN
        self._numbers = 0
        self._write(run_started(self.count))
        self._session()

    def steps(self, number: int) -> "PlausibleRun":
        """Take so many steps."""
        for _ in range(number):
            self.step()
        return self

    def step(self) -> None:
        """One thing happens: mostly to a target, sometimes to the run."""
        if self.random.random() < 0.1:
            self.random.choice(self._run_steps())()
            return
        target = self.random.choice(self.targets)
        state = self.run.state(target.proxy_id)
        self.random.choice(self._moves(state))(state)

    # --- the run ---------------------------------------------------------------------------------------------------

    def _run_steps(self) -> list[Callable[[], None]]:
        return [self._session, self._hold, self._release, self._use_scope, self._throttle, self._wave]

    def _session(self) -> None:
        if self.run.sessions and self.random.random() < 0.5:
            self._write(r.SessionEnded(at=self._now(), exit_code=5, why="signal"))
        number = len(self.run.sessions) + 1
        self._write(r.SessionStarted(at=self._now(), number=number, pid=7, host="h", orchestrator_version="0.1.0"))
        for state in self.run.open_states():
            if state.attempts and state.last.answer is None and state.phase is Phase.IN_FLIGHT:
                self._write(r.AnswerMissing(at=self._now(), target=state.key, attempt=len(state.attempts)))

    def _hold(self) -> None:
        person = self.random.random() < 0.5
        self._write(
            r.HoldSet(at=self._now(), cause="person", reason="asked for", by="ann", note="wait")
            if person
            else r.HoldSet(at=self._now(), cause="wave_failed", reason="nothing succeeded", wave="canary")
        )

    def _release(self) -> None:
        self._write(r.HoldReleased(at=self._now(), by="ann", note="go on"))

    def _use_scope(self) -> None:
        scope = self.random.choice(list(self.run.scopes))
        self._write(r.ScopeUsed(at=self._now(), scope=scope, calls=17, throttled=1, rate_limit=2.0, seconds=9.0))

    def _throttle(self) -> None:
        scope = self.random.choice(list(self.run.scopes))
        self._write(r.ScopeThrottled(at=self._now(), scope=scope, until=self.at, why="too many"))

    def _wave(self) -> None:
        wave = self.random.choice(WAVES)
        kinds = (r.WaveOpened, r.WaveDone)
        self._write(self.random.choice(kinds)(at=self._now(), wave=wave))

    # --- a target --------------------------------------------------------------------------------------------------

    def _moves(self, state: TargetState) -> tuple[Callable[[TargetState], None], ...]:
        moves: tuple[Callable[[TargetState], None], ...]
        match state.phase:
            case Phase.WAITING:
                moves = (self._leave_out, self._postpone, self._send, self._send, self._send)
            case Phase.IN_FLIGHT if state.last.answer is None:
                moves = (self._answer,)
            case Phase.IN_FLIGHT:
                moves = (self._look, self._end, self._time_out) if state.unfinished_jobs else (self._settle,)
            case Phase.DOUBT:
                moves = (self._doubt_look, self._adopt, self._reach, self._disprove, self._remain)
            case Phase.IN_DOUBT:
                moves = (self._person, self._adopt)
            case Phase.TIMED_OUT:
                moves = (self._person, self._end)
            case _:
                moves = (self._reverify,)
        return moves

    def _leave_out(self, state: TargetState) -> None:
        outcome, reason = self.random.choice(((Outcome.ALREADY, "current"), (Outcome.SKIPPED, "drifted")))
        self._preflight(state)
        self._settled(state, outcome, reason)

    def _postpone(self, state: TargetState) -> None:
        wave, until = self._wave_of(state), self.at + timedelta(minutes=1)
        self._write(r.Postponed(at=self._now(), target=state.key, wave=wave, why="busy", until=until, busy=True))

    def _preflight(self, state: TargetState) -> None:
        self._write(
            r.PreflightDone(
                at=self._now(),
                target=state.key,
                wave=self._wave_of(state),
                current_version=OLD,
                latest_version=NEW,
                can_upgrade=True,
            )
        )

    def _send(self, state: TargetState) -> None:
        self._preflight(state)
        self._write(
            r.Intent(
                at=self._now(),
                target=state.key,
                attempt=len(state.attempts) + 1,
                wave=self._wave_of(state),
                token=self._id("token"),
                source_version=OLD,
                target_version=NEW,
            )
        )

    def _answer(self, state: TargetState) -> None:
        how = self.random.choice(("accepted", "accepted", "partial", "rejected", "refused", "busy", "in_doubt"))
        entries = {"accepted": "A", "partial": "AR", "rejected": "R"}.get(how, "")
        code = "DBS.200011" if how in ("refused", "busy") else None
        self._write(
            r.AnswerSeen(
                at=self._now(),
                target=state.key,
                attempt=len(state.attempts),
                verdict=how,  # type: ignore[arg-type]  # one of the verdicts
                http_status=400 if code else 200,
                request_id=self._id("request"),
                error_code=code,
                error_msg="The instance is in a wrong state" if code else None,
                duration_ms=41,
                update_result=tuple(self._entry(state, each) for each in entries),
            )
        )
        if state.phase is Phase.IN_FLIGHT and how == "busy":
            self._postpone(state)
        elif state.phase is Phase.IN_FLIGHT and how in ("rejected", "refused"):
            self._settled(state, Outcome.REJECTED, "no")

    def _entry(self, state: TargetState, kind: str) -> Entry:
        if kind == "A":
            return Entry(instance_id=state.target.instance_id, workflow_id=self._id("workflow"), state="ACCEPT")
        reason = self.random.choice(REASONS)
        return Entry(instance_id=state.target.instance_id, state="REJECT", error_message=reason)

    def _look(self, state: TargetState) -> None:
        self._job(state, "Running")

    def _end(self, state: TargetState) -> None:
        if state.unfinished_jobs:
            self._job(state, self.random.choice(("Completed", "Completed", "Failed")), ended=True)
        else:
            self._person(state)

    def _job(self, state: TargetState, status: str, *, ended: bool = False) -> None:
        workflow = state.unfinished_jobs[0]
        self._write(
            r.JobSeen(
                at=self._now(),
                target=state.key,
                workflow_id=workflow,
                status=status,
                name="UpgradeProxy",
                ended=ended,
                ended_at=self.at if ended else None,
                fail_reason="no space" if status == "Failed" else None,
            )
        )

    def _time_out(self, state: TargetState) -> None:
        self._write(r.FollowTimedOut(at=self._now(), target=state.key, why="no end within 60m"))

    def _settle(self, state: TargetState) -> None:
        failed = any(job and job.status == "Failed" for job in state.jobs.values())
        good = self.random.choice((Outcome.SUCCEEDED, Outcome.SUCCEEDED, Outcome.MISMATCH, Outcome.PARTIAL))
        self._settled(state, Outcome.FAILED if failed else good, "no space" if failed else None)

    def _settled(self, state: TargetState, outcome: Outcome, reason: str | None) -> None:
        wave, version = self._wave_of(state), NEW if outcome is Outcome.SUCCEEDED else None
        self._write(
            r.Settled(
                at=self._now(), target=state.key, outcome=outcome, wave=wave, reason=reason, verified_version=version
            )
        )

    def _doubt_look(self, state: TargetState) -> None:
        self._write(r.DoubtLooked(at=self._now(), target=state.key, finding="no job yet", version=OLD))

    def _adopt(self, state: TargetState) -> None:
        workflow = self._id("workflow")
        self._write(r.WorkflowAdopted(at=self._now(), target=state.key, workflow_id=workflow, evidence="the only one"))

    def _reach(self, state: TargetState) -> None:
        self._write(r.VersionAdopted(at=self._now(), target=state.key, version=NEW, evidence="version only"))
        if state.last.answer is None or not state.unfinished_jobs:
            self._settled(state, Outcome.SUCCEEDED, None)

    def _disprove(self, state: TargetState) -> None:
        self._write(
            r.AttemptDisproved(
                at=self._now(), target=state.key, attempt=len(state.attempts), evidence="no job, version old"
            )
        )

    def _remain(self, state: TargetState) -> None:
        self._write(
            r.DoubtRemains(at=self._now(), target=state.key, attempt=len(state.attempts), why="several candidates")
        )

    def _person(self, state: TargetState) -> None:
        if self.random.random() < 0.5 and not state.jobs:
            self._write(r.ReturnedToWaiting(at=self._now(), target=state.key, settled_by="ann", note="saw nothing"))
            return
        self._write(
            r.Settled(at=self._now(), target=state.key, outcome=Outcome.FAILED, settled_by="ann", note="looked")
        )

    def _reverify(self, state: TargetState) -> None:
        if state.outcome is Outcome.SUCCEEDED:
            healthy = self.random.random() < 0.7
            self._write(r.Reverified(at=self._now(), target=state.key, healthy=healthy, finding="node ABNORMAL"))

    # --- small things ----------------------------------------------------------------------------------------------

    def _wave_of(self, state: TargetState) -> str:
        return state.wave or self.random.choice(WAVES)

    def _now(self) -> datetime:
        self.at += timedelta(milliseconds=self.random.randrange(1, 60_000))
        return self.at

    def _id(self, kind: str) -> str:
        self._numbers += 1
        return f"{kind}-{self.seed}-{self._numbers}"

    def _write(self, record: Record) -> None:
        self.records.append(record)
        self.run.apply(record)
