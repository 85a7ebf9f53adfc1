"""The states of a run's targets, of which those that have their outcome are packed, but for the latest.

A long run has an outcome for nearly every target, and few of them are looked at again. So each is unpacked when it is
asked for, and packed again by and by. As long as anybody holds the state of a target, all who ask get this very one:
a row and a story that is still told must never both be taken for the target.
"""

from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, MutableMapping
from weakref import WeakValueDictionary

from orchestrator.model.plan.target import Target
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import EarlierOutcome
from orchestrator.model.run.state import TargetState
from orchestrator.model.run.states.packed_state import Packed, Packer, unpacked

#: So many that have their outcome stay unpacked: records that come soon behind it need not pack them again.
MOST_UNPACKED = 1000


class States(MutableMapping[str, TargetState]):
    """States by proxy_id, in the order in which the targets were first touched.

    Args:
        targets: those of the run.
        earlier: what earlier runs said of some of them.
        most_unpacked: how many that have their outcome may stay unpacked.
    """

    def __init__(
        self, targets: Mapping[str, Target], earlier: Mapping[str, EarlierOutcome], most_unpacked: float = MOST_UNPACKED
    ) -> None:
        self.earlier = earlier
        self.packer = Packer()
        self._targets = targets
        self._most_unpacked = most_unpacked
        self._known: dict[str, TargetState | Packed] = {}
        self._held: WeakValueDictionary[str, TargetState] = WeakValueDictionary()
        self._to_pack: deque[str] = deque()

    def __getitem__(self, proxy_id: str) -> TargetState:
        known = self._known[proxy_id]
        if isinstance(known, Packed):
            known = self._known[proxy_id] = self._opened(proxy_id, known)
            self._to_pack.append(proxy_id)
        return known

    def __setitem__(self, proxy_id: str, state: TargetState) -> None:
        self._known[proxy_id] = state
        self._held.pop(proxy_id, None)

    def __delitem__(self, proxy_id: str) -> None:
        del self._known[proxy_id]
        self._held.pop(proxy_id, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, proxy_id: object) -> bool:
        return proxy_id in self._known

    def __getstate__(self) -> dict[str, object]:
        """For a copy, whose states nobody holds yet."""
        return {**vars(self), "_held": WeakValueDictionary()}

    def keep_packed(self, proxy_id: str, packed: Packed) -> None:
        """Put in a target that has its outcome, as it was packed."""
        self._known[proxy_id] = packed

    def changed(self, state: TargetState) -> None:
        """A record was folded into a state: if it has its outcome now, it is packed once others have theirs.

        What changes a state comes by `__getitem__`, and here before anything else is asked for.
        """
        if state.settled:
            self._to_pack.append(state.key)
        while len(self._to_pack) > self._most_unpacked:
            self._pack(self._to_pack.popleft())

    def glance(self, proxy_id: str) -> TargetState | None:
        """A state that is only read now: what was packed stays so, and takes no more room afterwards."""
        known = self._known.get(proxy_id)
        return self._opened(proxy_id, known) if isinstance(known, Packed) else known

    def glances(self, proxy_ids: Iterable[str]) -> Iterator[TargetState]:
        """As `glance`, of those among some targets that have a state."""
        return filter(None, map(self.glance, proxy_ids))

    def standing(self, proxy_id: str) -> str | None:
        """Where a target stands; None while it has no state."""
        known = self._known.get(proxy_id)
        return None if known is None else known.standing

    def outcome(self, proxy_id: str) -> Outcome | None:
        """The outcome of a target; None while it has none, or no state."""
        known = self._known.get(proxy_id)
        return None if known is None else known.outcome

    def refused(self) -> set[str]:
        """The targets that the cloud has ever said no to."""
        return {proxy_id for proxy_id, state in self._known.items() if state.refused}

    def known(self) -> Iterator[tuple[str, TargetState | Packed]]:
        """Every target with its state, packed where it still is."""
        return iter(self._known.items())

    def those(self, are: Callable[[TargetState | Packed], bool]) -> Iterator[str]:
        """The targets of which something is true that a packed state tells as well."""
        return (proxy_id for proxy_id, state in self._known.items() if are(state))

    def unpacked(self) -> Iterator[TargetState]:
        """All that may lack an outcome, and others; what is still packed has one."""
        return (state for state in self._known.values() if isinstance(state, TargetState))

    def ended_in(self, outcomes: Container[Outcome | None]) -> Iterator[TargetState]:
        """Those with one of these outcomes, at a glance."""
        return self.glances(self.those(lambda state: state.outcome in outcomes))

    def _opened(self, proxy_id: str, packed: Packed) -> TargetState:
        held = self._held.get(proxy_id)
        return unpacked(packed, self._targets[proxy_id], self.earlier.get(proxy_id)) if held is None else held

    def _pack(self, proxy_id: str) -> None:
        state = self._known.get(proxy_id)
        if isinstance(state, TargetState) and state.settled:
            self._known[proxy_id] = self.packer.pack(state)
            self._held[proxy_id] = state
