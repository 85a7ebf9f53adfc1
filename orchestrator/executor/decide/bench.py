"""What a wave may draw, and where those wait that it has drawn: ready by scope, or set aside under what keeps them."""

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from heapq import heapify, heappop, heappush
from typing import NamedTuple, TypeAlias

import msgspec

from orchestrator.model.plan.target import Target

#: Where a target stands in line: how often it was turned away, and its rank.
Place: TypeAlias = tuple[int, int]

#: What a target waits for: a slot on its instance, or of one of its labels, a gate that is to open, or addresses.
Block: TypeAlias = tuple[str, str]

#: The kind of a block that is the slot of an instance; its value is the instance_id.
INSTANCE = "instance"

#: How the kind of a block begins that is the slot of a label, before the label's name; its value is the label's.
LABEL = "label "

#: The kind of a block that is a gate; its value is the gate's name.
GATE = "gate"

#: The kind of a block that is a subnet without enough addresses; its value is the subnet's id.
SUBNET = "subnet"

#: What a target waits for whose place in line is void: nothing any more.
VOID: Block = ("void", "")

#: The kind of a block that is a scope whose cloud has to be asked for its own events; its value is the scope's name.
EVENTS = "events"


def is_slot(block: Block) -> bool:
    """Whether a target waits for a slot that others hold."""
    return block[0] == INSTANCE or block[0].startswith(LABEL)


class Later(NamedTuple):
    """What a target waits for that is to come back: an instant of the session's clock."""

    instant: datetime


class WaveDraw(msgspec.Struct, frozen=True):
    """What one wave may draw: at most `size` targets that are really sent, of those that `admits`."""

    name: str
    size: int | None
    admits: Callable[[Target], bool]


class Cursor(msgspec.Struct):
    """How far a wave has drawn. `more`: how many it could still draw by its `select`; None until it is asked for."""

    at: int = 0
    members: int = 0
    more: int | None = None


class Drawn:
    """Which targets waves have drawn, by rank: two bytes for each, however many there are.

    Args:
        targets: how many there are.
        waves: the names of those that may draw.
    """

    def __init__(self, targets: int, waves: Iterable[str]) -> None:
        self._waves = (None, *waves)
        self._by = array("H", bytes(2 * targets))  # 0 for nobody, else one more than the place of the wave

    def __contains__(self, rank: int) -> bool:
        return self._by[rank] > 0

    def add(self, rank: int, wave: str | None) -> None:
        """It is drawn by a wave; None for one of an earlier session."""
        self._by[rank] = 1 + self._waves.index(wave)

    def wave(self, rank: int) -> str | None:
        """The wave that drew it in this session."""
        return self._waves[self._by[rank] - 1] if rank in self else None


class Bench(msgspec.Struct):
    """Targets of the current wave that were drawn and wait to start, by rank.

    Attributes:
        ready: by scope, a heap of places each.
        blocked: by what they wait for, and scope; of each heap only the first is called when a slot comes free, so
            that a thousand targets of one label cost no more than ten.
        called: what each of those was called for; if something else keeps it, the next one is called.
        later: those that are to come back at an instant.
        closed: those whose own window is closed.
        void: those of the above that have begun meanwhile.
        turned_away: how often each was.
    """

    ready: dict[str, list[Place]] = msgspec.field(default_factory=lambda: defaultdict(list))
    blocked: dict[Block, dict[str, list[Place]]] = msgspec.field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    called: dict[int, Block] = {}
    later: list[tuple[datetime, int]] = []
    closed: list[tuple[datetime, int]] = []
    void: set[int] = set()
    turned_away: dict[int, int] = {}
    waiting: int = 0

    def call_next(self, block: Block) -> None:
        """A slot came free: the first that waits for it in each scope is looked at again."""
        lines = self.blocked.get(block, {})
        for scope, line in list(lines.items()):
            _, rank = heappop(line)
            self.called[rank] = block
            heappush(self.ready[scope], self.place(rank))
            if not line:
                del lines[scope]
        if not lines:
            self.blocked.pop(block, None)

    def open(self, block: Block) -> None:
        """All that wait for it are ready."""
        for scope, line in self.blocked.pop(block, {}).items():
            self.ready[scope] += line
            heapify(self.ready[scope])

    def place(self, rank: int) -> Place:
        """Where it stands in line."""
        return self.turned_away.get(rank, 0), rank

    @property
    def gated(self) -> bool:
        """Whether any waits for something that is no slot."""
        return not all(map(is_slot, self.blocked))

    def held_up(self) -> Iterator[int]:
        """Those that wait for slots which others hold."""
        for lines in (lines for block, lines in self.blocked.items() if is_slot(block)):
            yield from (rank for line in lines.values() for _, rank in line if rank not in self.void)
