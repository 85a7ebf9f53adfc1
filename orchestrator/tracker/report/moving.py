"""What of ours may be happening in the cloud: of a doubtful attempt nobody knows whether it began."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from orchestrator.model.record.outcome import Phase
from orchestrator.model.run.run import Run
from orchestrator.model.run.state import TargetState
from orchestrator.spoken import counted


class Moving(NamedTuple):
    """How many upgrades are under way, and how many attempts may be.

    Attributes:
        upgrades: those that are followed.
        doubts: attempts of which it is being found out whether one began.
        unended: upgrades that began and timed out: no end of theirs was seen.
        unknown: attempts that stay in doubt.
    """

    upgrades: int
    doubts: int
    unended: int = 0
    unknown: int = 0

    @property
    def by_themselves(self) -> "Moving":
        """Without what only a person or new evidence moves."""
        return self._replace(unended=0, unknown=0)


def moving_of(run: Run) -> Moving:
    """How many these are in a run."""
    return moving_among(run.open_states())


def moving_among(still_open: Iterable[TargetState]) -> Moving:
    """How many these are, by the targets that hold a slot."""
    phases = Counter(Phase.IN_DOUBT if state.set_aside else state.phase for state in still_open)
    doubts, unended, unknown = (phases[phase] for phase in (Phase.DOUBT, Phase.TIMED_OUT, Phase.IN_DOUBT))
    return Moving(phases.total() - doubts - unended - unknown, doubts, unended, unknown)


def moving_words(moving: Moving, *, working: bool) -> Iterator[str]:
    """A part of a sentence for each kind of what is under way or may be; none when nothing is.

    Args:
        moving: how many there are.
        working: whether a process works on the run.
    """
    if moving.upgrades:
        followed = "followed to the end" if working else "followed by the next start"
        yield f"{counted(moving.upgrades, 'upgrade')} under way, {followed}"
    if moving.doubts:
        looked_for = "of which evidence is looked for" if working else "for which the next start looks for evidence"
        yield f"{counted(moving.doubts, 'attempt')} in doubt, {looked_for}"
    if moving.unended:
        yield f"{counted(moving.unended, 'upgrade')} timed out: no end was seen, so it may still run"
    if moving.unknown:
        yield f"{counted(moving.unknown, 'attempt')} in doubt for good: nobody knows whether an upgrade runs"
