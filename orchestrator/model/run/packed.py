"""A run as plain data and back: what the fold of its first records has come to, so that they need not be folded again.

Every attribute of `Run` has its field here by the same name, and every one of `TargetState` in `packed_state`, which a
test holds against the classes. A field that is new there has to be new here.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, get_origin

import msgspec
from msgspec import Struct

from orchestrator.model.learned.durations import Durations
from orchestrator.model.learned.gate_status import GateStatus
from orchestrator.model.learned.timeline import Timeline
from orchestrator.model.record.capacity import SubnetStatus
from orchestrator.model.record.moment import Moment
from orchestrator.model.record.record import (
    EarlierOutcome,
    HoldReleased,
    HoldSet,
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
from orchestrator.model.run.state import TargetState
from orchestrator.model.run.states.packed_state import Kind, Packed, Packer, unpacked
from orchestrator.model.run.status import ScopeStatus, WaveStatus
from orchestrator.model.run.tally import Count, Tally

#: So many states, or entries of an index, are packed in one step: a thread that packs lets the others go on in between.
_TOGETHER = 200


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
    """A `Run`, without its targets, their states, the long indexes and what counts as harm."""

    tally: PackedTally
    waves: dict[str, WaveStatus]
    scopes: dict[str, ScopeStatus]
    gates: dict[str, GateStatus]
    timeline: Timeline
    rejects: Counter[str]
    known_rejects: set[str]
    new_rejects: dict[str, str]
    accepted_in: dict[str, Moment]
    named: dict[str, str]
    contested: set[str]
    astray: dict[str, str]
    job_names: dict[str, set[str]]
    durations: Durations
    foretold: Durations
    upgrade_calls: int
    subnets: dict[str, SubnetStatus]
    capacity_denied: dict[str, str]
    cloud_events: dict[str, Mapping[str, tuple[CloudEvent, ...]]]
    events_denied: dict[str, str]
    needs: dict[str, int]
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


class PackedIndex(Struct, omit_defaults=True, tag="index"):
    """Some entries of the indexes of a run that have one for nearly every target, by the names that `Run` has for them.

    As one line of hundreds of megabytes they would have to be held several times over.
    """

    workflows: dict[str, str] = {}
    accepted: set[str] = set()
    accepted_on: dict[str, dict[str, Moment]] = {}
    named_by_job: set[str] = set()
    listed: set[str] = set()
    measured: set[str] = set()
    sent_at: list[float] = []


class StateRow(Struct, array_like=True, gc=False):
    """A state as it is kept: of which target, its kind by its place among those beside it, and a `Packed` otherwise."""

    proxy_id: str
    kind: int
    ended_s: float
    rest: bytes


class PackedStates(Struct, tag="states"):
    """Some states of a run, and the kinds that they are of."""

    kinds: list[Kind]
    rows: list[StateRow]


def pack_run(run: Run) -> PackedRun:
    """Everything that a run knows beside the states of its targets, and the indexes that are as long as the fleet."""
    fields: dict[str, Any] = {
        field.name: getattr(run, field.encode_name) for field in msgspec.structs.fields(PackedRun)
    }
    return PackedRun(**{**fields, "tally": _pack_tally(run.tally)})


def indexed(run: Run) -> int:
    """How many entries these indexes have."""
    return sum(len(getattr(run, name)) for name in PackedIndex.__struct_fields__)


def pack_indexes(run: Run) -> Iterator[PackedIndex]:
    """The indexes that are as long as the fleet, some entries at a time."""
    for name in PackedIndex.__struct_fields__:
        kind, index = type(getattr(PackedIndex(), name)), getattr(run, name)
        rest = iter(index.items() if kind is dict else index)
        while some := list(islice(rest, _TOGETHER)):
            yield PackedIndex(**{name: kind(some)})


def pack_states(run: Run) -> Iterator[PackedStates]:
    """The states of a run's targets, some at a time."""
    rest = run.states.known()
    while some := list(islice(rest, _TOGETHER)):
        kinds: dict[Kind, int] = {}
        packed = ((proxy_id, _packed(state, run.states.packer)) for proxy_id, state in some)
        rows = [
            StateRow(proxy_id, kinds.setdefault(each.kind, len(kinds)), each.ended_s, each.rest)
            for proxy_id, each in packed
        ]
        yield PackedStates(list(kinds), rows)


def _packed(state: TargetState | Packed, packer: Packer) -> Packed:
    return state if isinstance(state, Packed) else packer.pack(state)


def unpack_run(packed: PackedRun, run: Run) -> None:
    """Let a new run know what the packed one knew; its states and long indexes come with `unpack_part`."""
    for field in msgspec.structs.fields(PackedRun):
        value = getattr(packed, field.name)
        setattr(run, field.encode_name, _unpack_tally(value) if isinstance(value, PackedTally) else value)
    run.states.earlier = run.earlier


def unpack_part(packed: PackedIndex | PackedStates, run: Run) -> None:
    """Let a run that knows the rest know some entries of its indexes, or some of its states.

    Raises:
        LookupError: it is not of this run.
        zlib.error: a state was squeezed against another one.
    """
    if isinstance(packed, PackedStates):
        _unpack_states(packed, run)
        return
    for name in PackedIndex.__struct_fields__:
        index, entries = getattr(run, name), getattr(packed, name)
        (index.extend if isinstance(entries, list) else index.update)(entries)


def _unpack_states(packed: PackedStates, run: Run) -> None:
    """Those that have an outcome stay packed until they are asked for."""
    kinds = [run.states.packer.same(kind) for kind in packed.kinds]
    for row in packed.rows:
        target, state = run.targets[row.proxy_id], Packed(kinds[row.kind], row.ended_s, row.rest)
        if state.settled:
            run.states.keep_packed(target.proxy_id, state)
        else:
            run.states[target.proxy_id] = unpacked(state, target, run.earlier.get(target.proxy_id))


def _hook(kind: type, value: Any) -> Any:
    if get_origin(kind) is Counter:
        return Counter(value)
    raise NotImplementedError(kind)


decode_part = msgspec.json.Decoder(PackedIndex | PackedStates).decode
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
