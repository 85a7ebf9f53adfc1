"""A run as plain data and back: what the fold of its first records has come to, so that they need not be folded again.

Every attribute of `Run` and `TargetState` has its field here by the same name, which a test holds against the classes.
A field that is new there has to be new here.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, get_origin

import msgspec
from msgspec import Raw, Struct

from orchestrator.model.learned.durations import Durations
from orchestrator.model.learned.gate_status import GateStatus
from orchestrator.model.learned.timeline import Timeline
from orchestrator.model.record.capacity import SubnetStatus
from orchestrator.model.record.moment import Moment
from orchestrator.model.record.outcome import Outcome, Phase
from orchestrator.model.record.record import (
    EarlierOutcome,
    HoldReleased,
    HoldSet,
    ImpactSampled,
    JobSeen,
    LimitsChanged,
    OutcomeKept,
    RunEnded,
    RunStarted,
    SessionEnded,
    SessionStarted,
)
from orchestrator.model.reply.cloud_event import CloudEvent
from orchestrator.model.run.act import Act
from orchestrator.model.run.hosts import Hosts
from orchestrator.model.run.night import Night
from orchestrator.model.run.run import Run
from orchestrator.model.run.state import Attempt, TargetState
from orchestrator.model.run.states import Packed
from orchestrator.model.run.status import ScopeStatus, WaveStatus
from orchestrator.model.run.tally import Count, Tally

#: So many states are packed in one step: a thread that packs lets the others go on in between.
_TOGETHER = 200


class PackedState(Struct, kw_only=True, omit_defaults=True):
    """A `TargetState`, without the target itself and what earlier runs said of it: the run has both."""

    wave: str | None = None
    phase: Phase = Phase.WAITING
    outcome: Outcome | None = None
    reason: str | None = None
    error_code: str | None = None
    settled_by: str | None = None
    settled_host: str = ""
    settled_at: datetime | None = None
    stuck_at: datetime | None = None
    stuck_why: str | None = None
    read_version: str | None = None
    verified_version: str | None = None
    attempts: list[Attempt] = []
    jobs: dict[str, JobSeen | None] = {}
    accepted_at: Moment | None = None
    doubtful_from: Moment | None = None
    doubt_since: Moment | None = None
    doubts_renewed: int = 0
    suspects: frozenset[str] = frozenset()
    disowned: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()
    decided: int = 0
    upgraded_by: str | None = None
    evidence: list[str] = []
    not_before: datetime | None = None
    turned_away: int = 0
    postponed: Moment | None = None
    busy_since: Moment | None = None
    busy_at: Moment | None = None
    busy_times: int = 0
    set_aside: str | None = None
    counted_in: int = -1
    folded: int = 0
    ended: Moment | None = None
    impact: ImpactSampled | None = None
    service_impact_s: float | None = None
    nodes: int | None = None


class PackedTally(Struct, kw_only=True):
    """A `Tally`; a label is two words, which no key in JSON can be."""

    fleet: Count
    waves: dict[str, Count]
    scopes: dict[str, Count]
    open_instances: Counter[str]
    open_labels: list[tuple[tuple[str, str], int]]
    open_subnets: dict[str, set[str]]
    epoch: int


class PackedRun(Struct, kw_only=True):
    """A `Run`, without its targets, their states and what counts as harm."""

    tally: PackedTally
    waves: dict[str, WaveStatus]
    scopes: dict[str, ScopeStatus]
    gates: dict[str, GateStatus]
    timeline: Timeline
    rejects: Counter[str]
    known_rejects: set[str]
    new_rejects: dict[str, str]
    workflows: dict[str, str]
    accepted: set[str]
    accepted_on: dict[str, dict[str, Moment]]
    accepted_in: dict[str, Moment]
    named: dict[str, str]
    contested: set[str]
    named_by_job: set[str]
    listed: set[str]
    astray: dict[str, str]
    job_names: dict[str, set[str]]
    durations: Durations
    foretold: Durations
    measured: set[str]
    upgrade_calls: int
    subnets: dict[str, SubnetStatus]
    capacity_denied: dict[str, str]
    cloud_events: dict[str, Mapping[str, tuple[CloudEvent, ...]]]
    events_denied: dict[str, str]
    needs: dict[str, int]
    sent_at: list[datetime]
    earlier: dict[str, EarlierOutcome]
    hosts: Hosts
    turns: dict[str, str]
    troubles: list[str]
    host_errors: list[str]
    unknown: dict[str, set[str]] = msgspec.field(name="_unknown")
    started: RunStarted | None
    sessions: list[SessionStarted]
    session_ended: SessionEnded | None
    ended: RunEnded | None
    hold: HoldSet | None
    released: HoldReleased | None
    limits: LimitsChanged | None
    failed_waves: list[str] = msgspec.field(name="_failed_waves")
    last_at: datetime | None
    commands_seen: int
    kept: list[OutcomeKept]
    warnings: list[str]
    lost_count: bool = msgspec.field(name="_lost_count")
    night: Night
    acts: list[Act]


class PackedStates(Struct):
    """Some targets of a run, by proxy_id."""

    states: dict[str, Packed]


def pack_run(run: Run) -> PackedRun:
    """Everything that a run knows beside the states of its targets."""
    fields: dict[str, Any] = {
        field.name: getattr(run, field.encode_name) for field in msgspec.structs.fields(PackedRun)
    }
    return PackedRun(**{**fields, "tally": _pack_tally(run.tally)})


def pack_states(run: Run) -> Iterator[PackedStates]:
    """The states of a run's targets, some at a time."""
    rest = run.states.known()
    while some := list(islice(rest, _TOGETHER)):
        yield PackedStates({proxy_id: _packed(state) for proxy_id, state in some})


def _packed(state: TargetState | Packed) -> Packed:
    if isinstance(state, Packed):
        return state
    fields = {name: getattr(state, name) for name in PackedState.__struct_fields__}
    whole = Raw(msgspec.json.encode(PackedState(**fields)))
    return Packed(state.wave, state.outcome, state.refused, state.set_aside is not None, state.taken_for, whole)


def unpack_run(packed: PackedRun, run: Run) -> None:
    """Let a new run know what the packed one knew; its states come with `unpack_states`."""
    for field in msgspec.structs.fields(PackedRun):
        value = getattr(packed, field.name)
        setattr(run, field.encode_name, _unpack_tally(value) if isinstance(value, PackedTally) else value)


def unpack_states(packed: PackedStates, run: Run) -> None:
    """Give a run some of its states; those that have an outcome stay packed until they are asked for.

    Raises:
        KeyError: one of a target that the run has not.
    """
    targets, earlier = run.targets, run.earlier  # and not the run: a circle would keep it until the collector comes

    def unpack(proxy_id: str, state: Packed) -> TargetState:
        fields = msgspec.structs.asdict(decode_state(state.state))
        return TargetState(targets[proxy_id], earlier=earlier.get(proxy_id), **fields)

    for proxy_id, state in packed.states.items():
        if state.settled and proxy_id in run.targets:
            run.states.keep_packed(proxy_id, state, unpack)
        else:
            run.states[proxy_id] = unpack(proxy_id, state)


def _hook(kind: type, value: Any) -> Any:
    if get_origin(kind) is Counter:
        return Counter(value)
    raise NotImplementedError(kind)


decode_state = msgspec.json.Decoder(PackedState, dec_hook=_hook).decode
decode_states = msgspec.json.Decoder(PackedStates).decode
decode_run = msgspec.json.Decoder(PackedRun, dec_hook=_hook).decode


def _pack_tally(tally: Tally) -> PackedTally:
    return PackedTally(
        fleet=tally.fleet,
        waves=tally.waves,
        scopes=tally.scopes,
        open_instances=tally.open_instances,
        open_labels=list(tally.open_labels.items()),
        open_subnets=tally.open_subnets,
        epoch=tally.epoch,
    )


def _unpack_tally(packed: PackedTally) -> Tally:
    fields = msgspec.structs.asdict(packed)
    return Tally(**{**fields, "open_labels": Counter(dict(packed.open_labels))})
