"""The state of one target in few bytes: told as data, and squeezed against the first state of its kind.

Nearly all that two settled targets tell is the same: of 1,600 bytes some 170 are its own.
"""

import zlib
from datetime import datetime
from functools import cache

import msgspec
from msgspec import Struct

from orchestrator.model.plan.target import Target
from orchestrator.model.record.moment import Moment
from orchestrator.model.record.outcome import Outcome, Phase
from orchestrator.model.record.record import EarlierOutcome, ImpactSampled, JobSeen
from orchestrator.model.run.state import TargetState
from orchestrator.model.run.upgrade_call import Attempt

#: How hard zlib tries, how far back it looks (2 to that power), and what it may take for that: more brings no more.
_LEVEL, _WINDOW, _ROOM = 3, -13, 5


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


class Kind(Struct, frozen=True, array_like=True):
    """What is asked of many states at once, in the words of `TargetState`, and is the same for those of one kind.

    Attributes:
        like: the first state of it, against which the others are squeezed.
    """

    wave: str | None
    outcome: Outcome | None
    refused: bool
    settled: bool
    taken_for: str | None
    ended_otherwise: bool
    unmeasured: bool
    like: bytes = b""


class Packed(Struct, gc=False):
    """The state of a target as it is kept: of which kind it is, when it ended (seconds of the epoch), and its rest."""

    kind: Kind
    ended_s: float
    rest: bytes

    @property
    def wave(self) -> str | None:
        """The wave that drew it."""
        return self.kind.wave

    @property
    def outcome(self) -> Outcome | None:
        """Its outcome."""
        return self.kind.outcome

    @property
    def refused(self) -> bool:
        """Whether the cloud has ever said no to it."""
        return self.kind.refused

    @property
    def settled(self) -> bool:
        """Whether it has its outcome and needs nobody any more."""
        return self.kind.settled

    @property
    def taken_for(self) -> str | None:
        """What is known of it instead of its version."""
        return self.kind.taken_for

    @property
    def ended_otherwise(self) -> bool:
        """Whether it was sent and ended, or is stuck, otherwise than in an earlier run."""
        return self.kind.ended_otherwise

    @property
    def unmeasured(self) -> bool:
        """Whether not all of its impact is written down."""
        return self.kind.unmeasured

    @property
    def standing(self) -> str:
        """The outcome; what has none is never left packed."""
        return str(self.kind.outcome)


class Packer:
    """Packs the states of one run."""

    def __init__(self) -> None:
        self._kinds: dict[Kind, Kind] = {}  # by what it would be without a state to be like

    def pack(self, state: TargetState) -> Packed:
        """A state in few bytes; `unpacked` makes one of them that equals it."""
        fields = {name: getattr(state, name) for name in PackedState.__struct_fields__}
        whole = msgspec.json.encode(PackedState(**fields))
        asked = _kind_of(state)
        kind = self._kinds.get(asked)
        if kind is None:
            kind = self._kinds[asked] = msgspec.structs.replace(asked, like=whole)
        return Packed(kind, state.ended_s, _squeezed(whole, kind.like))

    def same(self, kind: Kind) -> Kind:
        """A kind that was packed elsewhere: the one that is here already, if it is no other."""
        known = self._kinds.setdefault(msgspec.structs.replace(kind, like=b""), kind)
        return known if known == kind else kind


def _kind_of(state: TargetState) -> Kind:
    return Kind(
        wave=state.wave,
        outcome=state.outcome,
        refused=state.refused,
        settled=state.settled,
        taken_for=state.taken_for,
        ended_otherwise=state.ended_otherwise,
        unmeasured=state.unmeasured,
    )


def unpacked(packed: Packed, target: Target, earlier: EarlierOutcome | None) -> TargetState:
    """The state that was packed.

    Raises:
        zlib.error: it was squeezed against another one.
        ValidationError: it is no state.
    """
    whole = zlib.decompressobj(_WINDOW, packed.kind.like).decompress(packed.rest)
    return TargetState(target, earlier=earlier, **msgspec.structs.asdict(_decoder().decode(whole)))


def _squeezed(whole: bytes, like: bytes) -> bytes:
    squeeze = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOW, _ROOM, zlib.Z_DEFAULT_STRATEGY, like)
    return squeeze.compress(whole) + squeeze.flush()


@cache
def _decoder() -> msgspec.json.Decoder[PackedState]:
    """Made when it is used first: a rehearsal has no use for it."""
    return msgspec.json.Decoder(PackedState)
