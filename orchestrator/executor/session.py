"""What the story of a proxy works with in one session: its scopes, the ledger, the clock, and chance."""

from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from math import inf
from typing import TypedDict

import anyio

from orchestrator.executor.crash_points import Point
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.executor.heard import heard
from orchestrator.executor.ledger import Ledger
from orchestrator.executor.ports import Clock, GateAsker
from orchestrator.executor.scope.jobs.job_list import Board
from orchestrator.executor.scope.jobs.job_places import JobPlaces
from orchestrator.executor.scope.jobs.running_jobs import RunningJobs
from orchestrator.executor.scope.metrics.metric_reader import MetricReader
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.executor.stories import Stories
from orchestrator.model.learned.told_elsewhere import ToldElsewhere
from orchestrator.model.plan.health_gate import GateFinding, GateQuestion, HealthGate
from orchestrator.model.plan.plan import Plan
from orchestrator.model.record.moment import Moment
from orchestrator.model.record.record import Clocks, LimitsChanged, Record, Rested
from orchestrator.model.run.run import Run
from orchestrator.model.run.state import TargetState


async def none_known() -> AbstractSet[str]:
    """Of a cloud that no other run has seen."""
    return frozenset()


async def nothing_told(_workflow: str) -> ToldElsewhere | None:
    """Of a cloud that no other run has seen."""
    return None


#: Of metrics, on the host that decides.
_MEASURED_THERE = "another host serves it, and measures there"


def _pass(_point: Point) -> None:
    pass


class NobodyAsks:
    """Of a session whose plan has no gates."""

    async def ask(self, _gate: HealthGate, _question: GateQuestion) -> GateFinding:
        """There is nobody to ask."""
        return GateFinding(answer="error", evidence="this session asks no gates")


class About(TypedDict):
    """What every record of a target begins with."""

    at: datetime
    target: str
    attempt: int


@dataclass(slots=True, kw_only=True)
class Session:
    """One process lifetime of a run.

    Attributes:
        sending: as many permits as upgrade-version calls may be under way at once.
        most_sending: so many fit into what this process may have open; the plan may allow less.
        gates: where they are asked.
        new_token: makes a token that no other execution has.
        known_workflows: every workflow_id in the state folder, of any run and fleet, in small letters.
        told_elsewhere: what the journal of another run tells of one of these; None when it tells nothing.
        reached: called at every `Point`; tests die there.
        stories: those of its targets that are under way.
        leads: it decides what starts; else another host does, and is told what it cannot see.
        moved_by_others: targets of which another host has written something that no story here may have seen.
        metrics: reads metrics of proxies; None when nobody wants any.
    """

    rollout: Rollout
    ledger: Ledger
    scopes: Mapping[str, ScopeCalls]
    boards: Mapping[str, Board]
    clock: Clock
    sending: anyio.CapacityLimiter
    new_token: Callable[[], str]
    most_sending: float = inf
    gates: GateAsker = field(default_factory=NobodyAsks)
    known_workflows: Callable[[], Awaitable[AbstractSet[str]]] = none_known
    told_elsewhere: Callable[[str], Awaitable[ToldElsewhere | None]] = nothing_told
    reached: Callable[[Point], None] = field(default=_pass)
    leads: bool = True
    stories: Stories = field(init=False)
    moved_by_others: dict[str, TargetState] = field(default_factory=dict)
    metrics: MetricReader | None = field(init=False, default=None)
    _running_jobs: dict[str, RunningJobs] = field(init=False)
    _places: dict[str, JobPlaces] = field(init=False)

    def __post_init__(self) -> None:
        if self.run.limits is not None:
            self._keep_to_limits()
        self.stories = Stories(self.clock)
        self._running_jobs = {name: RunningJobs(calls) for name, calls in self.scopes.items()}
        self._places = {name: JobPlaces(calls) for name, calls in self.scopes.items()}
        if self.plan.reads_metrics:
            self.metrics = MetricReader(
                self.scopes,
                clock=self.clock,
                grain_s=self.plan.cloud_eye.grain_s,
                note=self.ledger.note,
                cloud_now=self._cloud_now,
            )
            self.metrics.missing.update(
                {scope.name: _MEASURED_THERE for scope in self.plan.scopes if not self.serves(scope.name)}
            )

    def _cloud_now(self, scope: str) -> float:
        return self.clock.now().timestamp() + self.run.timeline.offsets.get(scope, 0.0)

    def relimit(self) -> None:
        """Let the rates and the concurrency of the plan hold as it is now: a person may have changed them."""
        self._keep_to_limits()
        self.ledger.wake()

    def _keep_to_limits(self) -> None:
        self.sending.total_tokens = max(1, min(self.plan.limits.concurrency, self.most_sending))
        for lanes in {id(scope.lanes): scope.lanes for scope in self.scopes.values()}.values():
            rates = [
                self.plan.limits.rate if scope.rate is None else scope.rate
                for scope in self.plan.scopes
                if scope.name in self.scopes and self.scopes[scope.name].lanes is lanes
            ]
            lanes.keep_to(min((rate for rate in rates if rate != "auto"), default=None))

    @property
    def plan(self) -> Plan:
        """The plan, as in force in this session."""
        return self.rollout.plan

    @property
    def run(self) -> Run:
        """The run; only the ledger changes it."""
        return self.rollout.run

    def serves(self, scope: str) -> bool:
        """Whether the stories of a scope's targets run here, and not on another host."""
        return scope in self.scopes

    def calls(self, state: TargetState) -> ScopeCalls:
        """The calls of a target's scope."""
        return self.scopes[state.target.scope]

    def board(self, state: TargetState) -> Board:
        """The job lists of a target's scope."""
        return self.boards[state.target.scope]

    def running_jobs(self, state: TargetState) -> RunningJobs:
        """The running jobs of a target's scope."""
        return self._running_jobs[state.target.scope]

    def places(self, state: TargetState) -> JobPlaces:
        """Where single jobs of a target's scope run."""
        return self._places[state.target.scope]

    def about(self, state: TargetState) -> About:
        """The beginning of a record of this target's latest attempt, made now."""
        return {"at": self.clock.now(), "target": state.key, "attempt": len(state.attempts)}

    def elapsed_s(self, state: TargetState, since: Moment) -> float:
        """Seconds since a moment of a target, in this session or an earlier one, as far as they passed for certain."""
        return self.run.timeline.elapsed_s(since, self.clock.now(), state.target.scope)

    def clocks(self, state: TargetState) -> Clocks:
        """What the clocks show now, for a record of this target."""
        return self.ledger.clocks(state.target.scope)

    def on_others(self, record: Record) -> None:
        """Another host has added a record: it counts, and the story of its target looks at once what it means."""
        self.ledger.on_others(record)
        heard(self.rollout, record)
        if isinstance(record, LimitsChanged):
            self.relimit()
        if record.target is not None and self.serves(self.run.targets[record.target].scope):
            self.stories.rouse(record.target)
            self.moved_by_others[record.target] = self.run.state(record.target)
        self.ledger.wake()

    async def sleep(self, state: TargetState, seconds: float) -> None:
        """Let so much time pass in the story of a target."""
        await self.stories.sleep(state, seconds)

    def rest(self, state: TargetState) -> None:
        """Only new evidence will move this target: it keeps no session alive."""
        if not self.leads and self.serves(state.target.scope) and state.key not in self.rollout.resting:
            self.ledger.note(Rested(at=self.clock.now(), target=state.key))
        self.rollout.resting.add(state.key)
        self.ledger.wake()
