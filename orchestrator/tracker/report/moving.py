"""What of ours may be happening in the cloud: of a doubtful attempt nobody knows whether it began."""

from collections.abc import Iterator
from typing import NamedTuple

from orchestrator.model.record.outcome import Phase
from orchestrator.model.run.run import Run
from orchestrator.spoken import counted


class Moving(NamedTuple):
    """How many upgrades are under way, and of how many attempts it is being found out whether one began."""

    upgrades: int
    doubts: int


def moving_of(run: Run) -> Moving:
    """How many these are in a run, without what only a person or new evidence moves."""
    moving = [state.phase for state in run.open_states() if not (state.needs_person or state.set_aside)]
    doubts = moving.count(Phase.DOUBT)
    return Moving(len(moving) - doubts, doubts)


def moving_words(moving: Moving, *, working: bool) -> Iterator[str]:
    """A part of a sentence for what is under way, and one for what is in doubt; none when nothing is.

    Args:
        moving: how many there are.
        working: whether a process works on the run.
    """
    if moving.upgrades:
        followed = "followed to the end" if working else "followed by the next start"
        yield f"{counted(moving.upgrades, 'upgrade')} under way, {followed}"
    if moving.doubts:
        yield f"{counted(moving.doubts, 'attempt')} in doubt, of which evidence is looked for"
