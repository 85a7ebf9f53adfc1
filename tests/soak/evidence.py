"""What an oracle may look at after a trial: its world, its processes, and what they have left on disk."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from soak.disk import Disk
from soak.fleet import Fleet, Ordeal
from soak.life import Death
from soak.virtual_api import Wire

from orchestrator.model.plan.plan import Plan
from orchestrator.model.record.record import Record
from orchestrator.simulator.cloud import SimulatedCloud
from orchestrator.tracker.report.schema import Report

How = Literal["ended", "died", "disk_full", "stuck", "broken", "replaced"]


@dataclass(kw_only=True)
class Process:
    """What became of one process.

    Attributes:
        host: where it lives; None where there is one host.
        serves: the scopes whose stories it runs; None for all.
        decides: what starts; else it serves for the one that does.
        raised: an exception was injected.
        fold_differs: what the live state and the fold of the journal disagree on, at a good end.
    """

    number: int
    plan: Plan
    ordeal: Ordeal
    began_s: float
    host: str | None = None
    serves: tuple[str, ...] | None = None
    decides: bool = True
    ended_s: float = 0.0
    how: How = "ended"
    death: Death | None = None
    code: int | None = None
    why: str = ""
    fold_differs: str | None = None
    raised: bool = False

    @property
    def until_s(self) -> float | None:
        """Nothing may start from this instant on."""
        return None if self.ordeal.until_s is None else self.began_s + self.ordeal.until_s


@dataclass(kw_only=True)
class Evidence:
    """Everything that an oracle may look at."""

    fleet: Fleet
    cloud: SimulatedCloud
    wire: Wire
    disk: Disk
    processes: list[Process]
    report: Report
    ended: bool
    endless: bool
    servers: list[Process]

    @property
    def lives(self) -> list[Process]:
        """Every process, whether it decided or served."""
        return [*self.processes, *self.servers]

    def process(self, number: int) -> Process:
        """The one of this number."""
        return next(process for process in self.lives if process.number == number)

    @cached_property
    def told(self) -> list[Record]:
        """What the journal says, with right instants."""
        return [line.record for line in self.disk.lines]
