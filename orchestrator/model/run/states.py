"""The states of a run's targets, of which those that have their outcome may still be packed.

A run that is read back from a checkpoint has an outcome for nearly every target, and few of them are looked at again.
So each is unpacked when it is asked for, and not before.
"""

from collections.abc import Callable, Container, Iterable, Iterator, MutableMapping

from msgspec import Raw, Struct

from orchestrator.model.record.outcome import Outcome
from orchestrator.model.run.state import TargetState


class Packed(Struct, array_like=True, gc=False):
    """The state of a target as it is kept: `state` is the whole of it, beside it stands what is asked of many.

    It is asked in the words of `TargetState`.
    """

    wave: str | None
    outcome: Outcome | None
    refused: bool
    aside: bool
    taken_for: str | None
    state: Raw

    @property
    def settled(self) -> bool:
        """Whether it has its outcome and needs nobody any more."""
        return self.outcome is not None and not self.aside

    @property
    def standing(self) -> str:
        """The outcome; what has none is never left packed."""
        return str(self.outcome)


class States(MutableMapping[str, TargetState]):
    """States by proxy_id, in the order in which the targets were first touched."""

    def __init__(self) -> None:
        self._known: dict[str, TargetState | Packed] = {}
        self._unpack: Callable[[str, Packed], TargetState]

    def __getitem__(self, proxy_id: str) -> TargetState:
        known = self._known[proxy_id]
        if isinstance(known, Packed):
            known = self._known[proxy_id] = self._unpack(proxy_id, known)
        return known

    def __setitem__(self, proxy_id: str, state: TargetState) -> None:
        self._known[proxy_id] = state

    def __delitem__(self, proxy_id: str) -> None:
        del self._known[proxy_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, proxy_id: object) -> bool:
        return proxy_id in self._known

    def keep_packed(self, proxy_id: str, packed: Packed, unpack: Callable[[str, Packed], TargetState]) -> None:
        """Put in a target that has its outcome, as it was packed.

        Args:
            proxy_id: of the target.
            packed: its state.
            unpack: makes the state of what was packed; the same for all of a run.
        """
        self._known[proxy_id], self._unpack = packed, unpack

    def glance(self, proxy_id: str) -> TargetState | None:
        """A state that is only read now: what was packed stays so, and takes no more room afterwards."""
        known = self._known.get(proxy_id)
        return self._unpack(proxy_id, known) if isinstance(known, Packed) else known

    def glances(self, proxy_ids: Iterable[str]) -> Iterator[TargetState]:
        """As `glance`, of those among some targets that have a state."""
        return filter(None, map(self.glance, proxy_ids))

    def standing(self, proxy_id: str) -> str | None:
        """Where a target stands; None while it has no state."""
        known = self._known.get(proxy_id)
        return None if known is None else known.standing

    def refused(self) -> set[str]:
        """The targets that the cloud has ever said no to."""
        return {proxy_id for proxy_id, state in self._known.items() if state.refused}

    def known(self) -> Iterator[tuple[str, TargetState | Packed]]:
        """Every target with its state, packed where it still is."""
        return iter(self._known.items())

    def unpacked(self) -> Iterator[TargetState]:
        """All that may lack an outcome, and others; what is still packed has one."""
        return (state for state in self._known.values() if isinstance(state, TargetState))

    def ended_in(self, outcomes: Container[Outcome | None]) -> Iterator[TargetState]:
        """Those with one of these outcomes."""
        return (self[proxy_id] for proxy_id, state in self._known.items() if state.outcome in outcomes)
