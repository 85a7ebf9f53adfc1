"""One run set up for a rehearsal: the real run, queue and rollout, and for each scope its calls on virtual time."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta, tzinfo
from math import inf

import msgspec
from msgspec import structs

from orchestrator.executor.decide.bench import EVENTS, SUBNET, Block
from orchestrator.executor.decide.rollout import Reading, Rollout
from orchestrator.executor.rate.lane import Lane
from orchestrator.executor.requeue import reopen
from orchestrator.executor.restore_queue import make_queue
from orchestrator.executor.scope.host_time import calendar_ahead_s
from orchestrator.executor.scope.jobs.list_use import ListUse
from orchestrator.forecast.result import Nights, Rehearsal, WaveSpan
from orchestrator.forecast.virtual_lanes import Call, VirtualLanes
from orchestrator.forecast.virtual_time import EventQueue, Permits, Process
from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.target import Target
from orchestrator.model.record.outcome import REPLACED, Phase
from orchestrator.model.record.record import (
    AnswerSeen,
    CloudEventsRead,
    CloudTimeLearned,
    HoldReleased,
    Intent,
    JobSeen,
    Postponed,
    Record,
    SessionStarted,
    Settled,
    SubnetRead,
)
from orchestrator.model.reply.cloud_event import CloudEvent
from orchestrator.model.run.run import Run
from orchestrator.planner.preview.estimate import EVENT_LISTS, LATENCY_S, rate_groups
from orchestrator.planner.waves import Staging, scope_targets, wave_targets

#: Records after which no more can start than before, unless the rollout is `eager`: a slot stays a slot.
_MOVES_NOBODY = (Intent, AnswerSeen, JobSeen)


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What is rehearsed.

    Attributes:
        targets: all of the plan.
        staging: its waves.
        left_out: proxy ids that are known to need no upgrade.
        unread: of these, those that the run leaves out without a look at their version.
        start: when the run begins, by the clock of this host.
        free: the addresses that subnets have left when it begins; of any other subnet they bound nothing.
        events: what the cloud is about to do itself, by scope; None: as the run knows it.
        zone: of this host, see `Rollout`.
        typical_s: how long an upgrade should take.
        latency_s: how long a call takes that reads.
        send_s: how long an upgrade call takes.
        begun: the run as it stands when one goes on; None for one that begins.
        clouds: the cloud's time minus that of this host in seconds, by scope, as far as it is known.
    """

    plan: Plan
    targets: Sequence[Target]
    staging: Staging
    left_out: AbstractSet[str]
    start: datetime
    typical_s: float
    latency_s: float = LATENCY_S
    send_s: float = LATENCY_S
    begun: Run | None = None
    free: Mapping[str, int] = {}
    events: Mapping[str, Sequence[CloudEvent]] | None = None
    zone: tzinfo = UTC
    unread: AbstractSet[str] = frozenset()
    clouds: Mapping[str, float] = {}

    @property
    def ahead(self) -> timedelta:
        """How far the calendar, by which windows are judged, is ahead of this host's clock."""
        return timedelta(seconds=calendar_ahead_s(0.0, self.clouds))

    @property
    def begins(self) -> datetime:
        """When the run begins, by the calendar."""
        return self.start + self.ahead


class ScopeEnvironment(msgspec.Struct):
    """One scope: its calls by lane, the line of its attempts, and its list of running jobs.

    Attributes:
        list_use: whether the list of running jobs pays for those who follow; `running_at_s`: when it was asked for.
        ends_s: when upgrades end that are followed only to the answer; the earliest first.
    """

    name: str
    lanes: VirtualLanes
    line: Permits
    start: Call
    turn: Call
    listing: Call
    poll: Call
    listed_at_s: float = -inf
    listing_now: bool = False
    list_use: ListUse = msgspec.field(default_factory=ListUse)
    running_at_s: float = -inf
    ends_s: list[float] = []
    waiting_for_list: list[Process] = []

    def join(self, process: Process) -> None:
        """Wait for the list that another target is reading."""
        self.waiting_for_list.append(process)


class Environment:
    """The state of one rehearsal.

    Attributes:
        result: what it says of the run.
        changed: whether something has happened since the last decision, so that it is worth deciding again.
        eager: whether room depends on how many have not been sent, or not been answered.
        duration: draws how long an upgrade takes, in seconds.
        ends_s: when the upgrades on each instance end, of plans that are followed only to the answer.
    """

    def __init__(self, setting: Setting, duration: Callable[[], float]) -> None:
        self.setting, self.plan, self.duration = setting, setting.plan, duration
        self.events = EventQueue(setting.start)
        self.run = _run(setting)
        self.scopes = _scopes(setting, self.events)
        self.rollout = _rollout(setting, self.run, self.scopes)
        self.sending = Permits(self.events, self.plan.limits.concurrency)
        self.ends_s: dict[str, list[float]] = {}
        self.changed = self.eager = True
        self.nights = Nights(setting.plan)
        self.result = Rehearsal({wave.name: WaveSpan() for wave in setting.plan.waves})

    def read_cloud(self, scope: str, block: Block) -> None:
        """What was read before the rehearsal holds in it, however often it is read again; others are not foreseen."""
        now, (kind, value) = self.events.now, block
        self.rollout.readings[block] = Reading(asked_at=now, read_at=now, scope=scope, kept=kind == SUBNET)
        read: Record = SubnetRead(at=now, scope=scope, subnet_id=value, free=self.setting.free.get(value))
        if kind == EVENTS:
            self.scopes[scope].lanes.pass_by(EVENT_LISTS)
            read = CloudEventsRead(at=now, scope=scope, events=self._events_of(scope))
        self.note(read)
        reopen(self.rollout, read)

    def _events_of(self, scope: str) -> tuple[CloudEvent, ...]:
        """What is known of them; nobody asks again whether one that is under way is over, so it ends when it should."""
        known = self.setting.events
        here = self.run.events_of(scope) if known is None else known.get(scope, ())
        return tuple(_foreseen(event, self.setting.begins) for event in here)

    def note(self, record: Record) -> None:
        """Let a record count, as `executor.ledger` does when it is on disk."""
        self.changed |= self.eager or not isinstance(record, _MOVES_NOBODY)
        if record.target is None:
            self.run.apply(record)
            return
        state, queue = self.run.state(record.target), self.rollout.queue
        was_open = state.is_open
        self.run.apply(record)
        match record:
            case Intent():
                queue.sent(state.target)
                self.nights.start(record.at + self.setting.ahead)
                self.result.sent(record.wave, self.events.now_s, self.run.tally.fleet.open)
            case Postponed() if state.phase is Phase.WAITING:
                queue.back(state.target, state.not_before)
            case Settled() if record.outcome in REPLACED and state.wave is not None:
                queue.left_out(state.target, state.wave)
            case Settled():
                queue.settled(state.target)
                self.result.settled(state.wave or "", self.events.now_s)
            case _:
                pass
        if was_open and not state.is_open:
            queue.freed(state.target)

    @property
    def crowded(self) -> str | None:
        """The scope whose rate holds its callers up most, if one does."""
        return next((name for name, scope in self.scopes.items() if scope.lanes.crowded), None)

    @property
    def calls(self) -> int:
        """Calls of any kind so far."""
        return sum({id(scope.lanes): scope.lanes.calls for scope in self.scopes.values()}.values())


def _foreseen(event: CloudEvent, now: datetime) -> CloudEvent:
    if not event.running:
        return event
    ends = event.ends if event.ends is not None and event.ends > now else None
    return structs.replace(event, running=False, starts=now, ends=ends)


def _run(setting: Setting) -> Run:
    if setting.begun is not None:
        return _gone_on(setting.begun, setting)
    return Run(
        setting.targets,
        waves=[wave.name for wave in setting.plan.waves],
        scopes=[scope.name for scope in setting.plan.scopes],
        failures=setting.plan.failures,
        most_unpacked=inf,  # it is gone soon, and packing takes longer than all the rest that a rehearsal does
    )


def _gone_on(begun: Run, setting: Setting) -> Run:
    """A copy of the run, taken up by a further session, before which a person lets it go on if it is held."""
    from copy import deepcopy  # noqa: PLC0415  # only for a run that goes on

    run = deepcopy(begun)
    run.recount(setting.plan.failures)
    session = SessionStarted(at=setting.start, number=len(run.sessions) + 1, pid=0, host="", orchestrator_version="")
    run.apply(session)
    for scope, offset_s in setting.clouds.items():  # what is over already, such as a soak, is not waited for again
        run.apply(CloudTimeLearned(at=setting.start, scope=scope, offset_s=offset_s))
    if run.hold is not None:
        run.apply(HoldReleased(at=setting.start, by="", note=""))
    return run


def _scopes(setting: Setting, events: EventQueue) -> dict[str, ScopeEnvironment]:
    scopes: dict[str, ScopeEnvironment] = {}
    for names, rate in rate_groups(setting.plan):
        lanes, latency_s = VirtualLanes(events, rate), setting.latency_s
        for name in names:
            scopes[name] = ScopeEnvironment(
                name,
                lanes,
                Permits(events, 1),
                start=Call(lanes, Lane.START, latency_s),
                turn=Call(lanes, Lane.SEND, 0.0),
                listing=Call(lanes, Lane.SEND, latency_s),
                poll=Call(lanes, Lane.POLL, latency_s),
            )
    return scopes


def _rollout(setting: Setting, run: Run, scopes: dict[str, ScopeEnvironment]) -> Rollout:
    ahead = setting.ahead
    return Rollout(
        plan=structs.replace(setting.plan, gates=()),  # nobody can foresee them: they count as open
        run=run,
        queue=make_queue(setting.plan, setting.targets, run),
        wave_targets=wave_targets(setting.staging),
        scope_targets=scope_targets(setting.staging),
        scope_rates={name: scope.lanes.pacer.nominal for name, scope in scopes.items()},
        wait_s=inf,
        ahead=lambda: ahead,
        zone=setting.zone,
    )
