"""A whole session on virtual time: plan, fake clouds and a journal in memory, joined as the application joins them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any

import anyio
from fakes.clock import START, VirtualClock, run_virtual
from fakes.clouds import NEW, FakeCloud
from fakes.slow_journal import SlowJournal

from orchestrator.app.sinks.tee import RecordSink, Tee
from orchestrator.executor.crash_points import Point
from orchestrator.executor.decide.actions import Finish
from orchestrator.executor.decide.exit_code import exit_code
from orchestrator.executor.decide.rollout import Rollout
from orchestrator.executor.dispatch import Background, Dispatcher
from orchestrator.executor.hosts.scopes_of_others import ScopesOfOthers
from orchestrator.executor.ledger import Ledger
from orchestrator.executor.ports import GateAsker, MetricsApi
from orchestrator.executor.rate.auto_rate import auto_pacer
from orchestrator.executor.rate.fixed_rate import WindowPacer
from orchestrator.executor.rate.lanes import Lanes
from orchestrator.executor.rate.pacer import Pacer
from orchestrator.executor.restore_queue import make_queue
from orchestrator.executor.scope.host_time import HostTime
from orchestrator.executor.scope.jobs.job_list import Board
from orchestrator.executor.scope.rates import Rates
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.executor.session import NobodyAsks, Session
from orchestrator.model.learned.told_elsewhere import ToldElsewhere
from orchestrator.model.plan.plan import Plan, Scope
from orchestrator.model.plan.target import Target
from orchestrator.model.record.record import Record, RunStarted, SessionStarted
from orchestrator.model.run.run import Run
from orchestrator.model.run.state import TargetState
from orchestrator.planner.waves import assign_waves, scope_targets, wave_targets

#: No story takes longer than this.
PATIENCE_S = 60 * 86400.0


def targets_of(number: int, *, per_instance: int = 1, scopes: Sequence[str] = ("default",)) -> list[Target]:
    """So many targets, spread over the scopes, `per_instance` of them on each instance."""
    return [
        Target(
            scope=scopes[at // per_instance % len(scopes)],
            instance_id=f"{at // per_instance:032x}in07",
            proxy_id=f"{at:032x}po01",
            labels={"app": f"a{at % 3}"},
        )
        for at in range(number)
    ]


def plan_of(targets: Sequence[Target], **changes: Any) -> Plan:
    """The default plan for these targets, with some keys set."""
    names = dict.fromkeys(target.scope for target in targets)
    values: dict[str, Any] = {
        "name": "fleet",
        "path": "/plans/fleet.yaml",
        "sha256": "0" * 64,
        "target_version": NEW,
        "scopes": tuple(Scope(name=name, region="cn-north-4", project_id=f"p-{name}") for name in names),
        "proxies": tuple(targets),
    }
    return Plan(**{**values, **changes})


@dataclass
class Played:
    """What a session left behind."""

    finish: Finish
    code: int
    run: Run
    records: list[Record]
    cloud: FakeCloud
    clouds: Mapping[str, FakeCloud]
    dispatcher: Dispatcher
    started_at: datetime
    ended_at: datetime

    @property
    def seconds(self) -> float:
        return (self.ended_at - self.started_at).total_seconds()

    def outcomes(self) -> dict[str, int]:
        """How many targets stand where."""
        standing: dict[str, int] = {}
        for proxy_id in self.run.targets:
            word = self.run.standing(proxy_id)
            standing[word] = standing.get(word, 0) + 1
        return standing

    def state(self, number: int) -> TargetState:
        """The state of a target by its place in the plan."""
        return self.run.states[list(self.run.targets)[number]]

    def of(self, kind: type[Record]) -> list[Any]:
        """The records of one kind, in order."""
        return [record for record in self.records if isinstance(record, kind)]


@dataclass(kw_only=True)
class Stage:
    """One run, over as many sessions as a test plays.

    Attributes:
        records: the journal as it stands when the session starts.
        start: the true time at which the session starts.
        host_off_s: how far the host's clock is from it then.
        new_cloud: makes the cloud of a scope; `cloud_of` prepares it.
        script: further tasks of the session.
        sinks: who is shown its records.
        reached: called at every point.
        send_within_s: finite where hosts share a journal.
        host: the name of the one that works, where hosts share it.
        servers: the hosts that serve the scopes which that one may not, by their names.
    """

    plan: Plan
    clouds: dict[str, FakeCloud] = field(default_factory=dict)
    records: Sequence[Record] = ()
    start: datetime = START
    until: datetime | None = None
    ends_at: datetime | None = None
    wait_s: float = 3600.0
    host_off_s: float = 0.0
    seed: int = 0
    disk_s: float = 0.002
    disk_holds: float = float("inf")
    send_within_s: float = float("inf")
    rates: Mapping[str, float] = field(default_factory=dict)
    script: tuple[Background, ...] = ()
    sinks: tuple[RecordSink, ...] = ()
    reached: Callable[[Point], None] = lambda _point: None
    known: AbstractSet[str] = frozenset()
    told: Mapping[str, ToldElsewhere] = field(default_factory=dict)
    host: str | None = None
    servers: Callable[[], Mapping[str, str]] = dict
    new_cloud: Callable[..., FakeCloud] = FakeCloud
    cloud_of: Callable[[FakeCloud], None] = lambda _cloud: None
    gates: Callable[[VirtualClock], GateAsker] = lambda _clock: NobodyAsks()
    eye_of: Callable[[FakeCloud, VirtualClock], MetricsApi | None] = lambda _cloud, _clock: None
    journal: SlowJournal | None = None

    async def servers_now(self) -> Mapping[str, str]:
        """Who serves what, as the host that decides asks for it."""
        return self.servers()

    def play(self) -> Played:
        """Run one session to its end."""
        return run_virtual(self._session, seed=self.seed)

    async def _session(self) -> Played:
        truth, clock = VirtualClock(self.start), VirtualClock(self.start + timedelta(seconds=self.host_off_s))
        for name, cloud in self.open_clouds(truth).items():
            self.clouds[name] = cloud
        with anyio.fail_after(PATIENCE_S):
            async with open_dispatcher(self, clock) as (dispatcher, journal):
                finish = await dispatcher.run()
        run = dispatcher.session.run
        return Played(
            finish=finish,
            code=int(exit_code(run, finish)),
            run=run,
            records=journal.records,
            cloud=next(iter(self.clouds.values())),
            clouds=self.clouds,
            dispatcher=dispatcher,
            started_at=self.start,
            ended_at=truth.now(),
        )

    def open_clouds(self, clock: VirtualClock) -> dict[str, FakeCloud]:
        """The clouds of the scopes, made when there are none yet."""
        if self.clouds:
            for cloud in self.clouds.values():
                cloud.clock, cloud.host_off_s = clock, self.host_off_s
            return self.clouds
        clouds = {}
        for scope in self.plan.scopes:
            targets = [target for target in self.plan.proxies if target.scope == scope.name]
            cloud = self.new_cloud(clock, targets, prefix=f"wf-{scope.name}", host_off_s=self.host_off_s)
            clouds[scope.name] = cloud
            self.cloud_of(clouds[scope.name])
        return clouds


def fold_all(plan: Plan, records: Sequence[Record]) -> Run:
    """The run that a journal tells of."""
    run = Run(
        plan.proxies,
        waves=[wave.name for wave in plan.waves],
        scopes=[scope.name for scope in plan.scopes],
        failures=plan.failures,
        most_unpacked=0,
    )
    for record in records:
        run.apply(record)
    return run


@asynccontextmanager
async def open_dispatcher(stage: Stage, clock: VirtualClock) -> AsyncIterator[tuple[Dispatcher, SlowJournal]]:
    """A dispatcher that is ready to run, with its journal being written."""
    run = fold_all(stage.plan, stage.records)
    dispatcher = assemble(stage, clock, run)
    ledger = dispatcher.session.ledger
    journal = SlowJournal(clock, ledger.on_durable, stage.disk_s, list(stage.records), stage.disk_holds)
    stage.journal = journal
    ledger.attach(journal, send_within_s=stage.send_within_s)
    async with anyio.create_task_group() as group:
        group.start_soon(journal.run)
        await announce(stage, dispatcher.session)
        try:
            yield dispatcher, journal
        finally:
            journal.close()


async def announce(stage: Stage, session: Session) -> None:
    """Write down that the stage's host begins the run, if it does, and the session."""
    ledger, now = session.ledger, session.clock.now()
    if session.run.started is None:
        await ledger.record(_run_started(stage.plan, now))
    await ledger.record(
        SessionStarted(
            at=now,
            number=len(session.run.sessions) + 1,
            pid=1,
            host=stage.host or "h",
            orchestrator_version="0",
            step="session",
            clocks=ledger.clocks(),
        )
    )


def _run_started(plan: Plan, now: datetime) -> RunStarted:
    return RunStarted(
        at=now,
        run_id="r1",
        name=plan.name,
        target_version=plan.target_version,
        plan_sha256=plan.sha256,
        simulated=False,
        targets=len(plan.proxies),
        waves=tuple(wave.name for wave in plan.waves),
        orchestrator_version="0",
    )


def assemble(stage: Stage, clock: VirtualClock, run: Run) -> Dispatcher:
    """The dispatcher of the stage's host, which decides."""

    def wake() -> None:
        dispatcher.wake()

    unserved = [scope for scope in stage.plan.scopes if not scope.served_by(stage.host)]
    rates = {scope.name: _pacer(stage, scope.name).nominal for scope in unserved}
    elsewhere, sinks = ScopesOfOthers(unserved, run, clock, stage.servers_now, rates), _sinks(stage, lambda: session)
    session = new_session(stage, clock, run, wake, observe=sinks, elsewhere=elsewhere)
    watching = [_watching(elsewhere)] if unserved else []  # one task more would change the order of the others
    dispatcher = Dispatcher(session, background=(*stage.script, *sinks.background(), *watching))
    return dispatcher


def _sinks(stage: Stage, session: Callable[[], Session]) -> Tee:
    def failed(sink: str, error: Exception) -> None:
        session().ledger.part_failed(sink, error)

    return Tee(stage.sinks, failed)


def new_session(
    stage: Stage,
    clock: VirtualClock,
    run: Run,
    wake: Callable[[], None],
    *,
    observe: Callable[[Record], None] = lambda _record: None,
    elsewhere: ScopesOfOthers | None = None,
) -> Session:
    """The session of the stage's host; it leads, unless nobody else is known `elsewhere`."""

    def note(record: Record) -> None:
        ledger.note(record)

    plan, targets, host = stage.plan, list(run.targets.values()), HostTime(clock)
    staging = assign_waves(plan, targets)
    served = [each.name for each in plan.scopes if each.name in stage.clouds and each.served_by(stage.host)]
    scopes = {name: _calls(stage, name, clock, note) for name in served}
    others = elsewhere or ScopesOfOthers((), run, clock, stage.servers_now, {})
    rollout = Rollout(
        plan=plan,
        run=run,
        queue=make_queue(plan, targets, run),
        wave_targets=wave_targets(staging),
        scope_targets=scope_targets(staging),
        scope_rates=Rates(scopes, others.rate),
        available=lambda name: scopes[name].available if name in scopes else others.available(name),
        ahead=lambda: host.ahead(run.timeline.offsets),
        until=stage.until,
        ends_at=stage.ends_at,
        wait_s=stage.wait_s,
    )
    ledger = Ledger(rollout, clock, changed=wake, observe=observe)
    return Session(
        rollout=rollout,
        ledger=ledger,
        scopes=scopes,
        boards={name: Board(calls) for name, calls in scopes.items()},
        clock=clock,
        sending=anyio.CapacityLimiter(plan.limits.concurrency),
        gates=stage.gates(clock),
        new_token=_tokens(stage),
        known_workflows=_known(stage.known),
        told_elsewhere=_told(stage),
        reached=stage.reached,
        leads=elsewhere is not None,
    )


def _watching(elsewhere: ScopesOfOthers) -> Background:
    async def task(dispatcher: Dispatcher) -> None:
        await elsewhere.watch(dispatcher.session)

    return task


def _calls(stage: Stage, name: str, clock: VirtualClock, note: Callable[[Record], None]) -> ScopeCalls:
    return ScopeCalls(
        name=name,
        api=stage.clouds[name],
        lanes=Lanes(_pacer(stage, name), clock),
        retry=stage.plan.retry,
        clock=clock,
        chance=Random(f"{stage.seed}{name}").random,
        note=note,
        eye=stage.eye_of(stage.clouds[name], clock),
    )


def _pacer(stage: Stage, name: str) -> Pacer:
    rate = stage.rates.get(name, stage.plan.limits.rate)
    return auto_pacer() if rate == "auto" else WindowPacer(rate)


def _tokens(stage: Stage) -> Callable[[], str]:
    numbers = count()
    return lambda: f"token-{stage.start:%d%H%M}-{len(stage.records)}-{next(numbers)}"


def _known(known: AbstractSet[str]) -> Callable[[], Awaitable[AbstractSet[str]]]:
    async def read() -> AbstractSet[str]:
        return known

    return read


def _told(stage: Stage) -> Callable[[str], Awaitable[ToldElsewhere | None]]:
    async def told(workflow: str) -> ToldElsewhere | None:
        return stage.told.get(workflow)

    return told


def later(seconds: float, what: Callable[[Dispatcher], Any]) -> Background:
    """A task that does something after so many seconds; `what` may return an awaitable."""

    async def task(dispatcher: Dispatcher) -> None:
        await dispatcher.session.clock.sleep(seconds)
        done = what(dispatcher)
        if done is not None:
            await done

    return task


def resume(stage: Stage, played: Played, *, after: timedelta = timedelta(minutes=1), **changes: Any) -> Stage:
    """The stage for the next session of the same run."""
    values: dict[str, Any] = {
        "plan": stage.plan,
        "clouds": dict(played.clouds),
        "records": played.records,
        "start": played.ended_at + after,
        "seed": stage.seed + 1,
        "rates": stage.rates,
        "wait_s": stage.wait_s,
        "gates": stage.gates,
        "eye_of": stage.eye_of,
    }
    return Stage(**{**values, **changes})
