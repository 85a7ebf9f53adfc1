"""A fleet whose plan file is gone, and whose proxies another plan has: that plan may be the file, moved and renamed.

A plan without a name is called as its file is. Under its new name it would know nothing of holds and failures.
"""

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from orchestrator.errors import PlanError
from orchestrator.host import is_lasting
from orchestrator.tracker.runs.recovery import latest_run, recover
from orchestrator.tracker.state_store import Fleet


class Orphan(NamedTuple):
    """A fleet whose plan file is gone.

    Attributes:
        name: of the fleet.
        owner: the plan file that it belonged to.
        binds: why nothing of it may start without a person, or before its run has gone on; None when nothing says so.
        alike: how much its proxies are those of the other plan, 1 for the same; of equal ones, the later run is meant.
    """

    name: str
    owner: Path
    binds: str | None
    alike: tuple[float, str] = (0.0, "")

    def __str__(self) -> str:
        """What a person has to know before another fleet takes its proxies."""
        return f"fleet {self.name} has proxies of this plan, and its plan file {self.owner} is gone"

    @property
    def hint(self) -> str:
        """What to do when this plan is that file."""
        return f"if this plan is that file, moved or renamed: write `name: {self.name}` into it"

    @property
    def warning(self) -> str:
        """The same where it stops nothing."""
        return f"{self}; {self.hint}, else what it knows of them is not looked at"


def orphan(fleet: Fleet, proxy_ids: Collection[str]) -> Orphan | None:
    """The fleet of the same state that a fleet has most likely been; None when it has had a run, or there is no such.

    Args:
        fleet: that is about to have its first run.
        proxy_ids: its proxies; a set or a mapping.

    Raises:
        StateError: a run cannot be read.
    """
    return max(_orphans(fleet, proxy_ids), key=_likeness, default=None)


def refuse_orphan(fleet: Fleet, proxy_ids: Collection[str]) -> None:
    """Let a first run begin only where it passes over no hold and no unfinished run of the fleet that it may have been.

    Raises:
        PlanError: it would.
        StateError: a run cannot be read.
    """
    found = _orphans(fleet, proxy_ids)
    bound = max((each for each in found if each.binds is not None), key=_likeness, default=None)
    if bound is not None:
        likely = max(found, key=_likeness)
        which = "that file" if likely is bound else str(likely.owner)
        raise PlanError(
            f"{bound}; it {bound.binds}",
            hint=f"if this plan is {which}, moved or renamed: write `name: {likely.name}` into it; "
            f"if it is another one, put {bound.owner} back, and end or release its run first",
        )


def _orphans(fleet: Fleet, proxy_ids: Collection[str]) -> list[Orphan]:
    if latest_run(fleet) is not None:
        return []
    found = (_orphan(other, proxy_ids) for other in fleet.state.fleets() if other.name != fleet.name)
    return [each for each in found if each is not None]


def _likeness(found: Orphan) -> tuple[float, str]:
    return found.alike


def _is_gone(owner: Path) -> bool:
    """Whether a plan file is not there any more; what was read from a pipe never was."""
    try:
        return is_lasting(owner) and not owner.exists()
    except OSError:  # its folder may not be looked into
        return False


def _orphan(other: Fleet, proxy_ids: Collection[str]) -> Orphan | None:
    owner, run = other.owner(), latest_run(other)
    if owner is None or run is None or not _is_gone(owner):
        return None
    theirs = {target.proxy_id for target in run.targets()}
    common = sum(proxy_id in proxy_ids for proxy_id in theirs)
    if not common:
        return None
    folded = recover(run).run
    binds = f"is held: {folded.hold.reason}" if folded.hold else None if folded.ended else "has a run that is not over"
    return Orphan(other.name, owner, binds, (common / (len(theirs) + len(proxy_ids) - common), run.run_id))
