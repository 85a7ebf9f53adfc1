"""What the executor can decide to do next, as a closed set."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from orchestrator.executor.decide.bench import Block
from orchestrator.executor.decide.waits import Wait
from orchestrator.model.plan.health_gate import HealthGate
from orchestrator.model.plan.target import Target
from orchestrator.model.record.record import HoldCause


class Ending(StrEnum):
    """Why a session ends."""

    COMPLETED = "completed"
    HELD = "held"
    STOPPED = "stopped"
    LATER = "later"
    PERSON = "person"
    SCOPE = "scope"


@dataclass(frozen=True, slots=True)
class Start:
    """Take up this target."""

    target: Target
    wave: str


@dataclass(frozen=True, slots=True)
class OpenWave:
    """The wave's turn has come."""

    wave: str


@dataclass(frozen=True, slots=True)
class SoakWave:
    """The wave is settled; the next one opens after this instant."""

    wave: str
    until: datetime


@dataclass(frozen=True, slots=True)
class VerifyWave:
    """The soak is over: read the wave's proxies once more, then it is done."""

    wave: str


@dataclass(frozen=True, slots=True)
class CloseWave:
    """Nothing of the wave is left to do."""

    wave: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Start nothing any more until a person releases the fleet.

    Attributes:
        others: what would hold it too, and is released with it.
    """

    cause: HoldCause
    reason: str
    wave: str | None = None
    scope: str | None = None
    others: tuple["Hold", ...] = ()

    @property
    def words(self) -> str:
        """Every reason."""
        return "; ".join(each.reason for each in (self, *self.others))


@dataclass(frozen=True, slots=True)
class AskGate:
    """An answer of this gate is needed; nobody waits for it here."""

    gate: HealthGate


@dataclass(frozen=True, slots=True)
class ReadCloud:
    """It has to be known how many addresses a subnet has left, or what the cloud is about to do; nobody waits here."""

    scope: str
    block: Block


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Nothing can be done before something changes, or before this instant."""

    instant: datetime | None
    wait: Wait


@dataclass(frozen=True, slots=True)
class Finish:
    """The session ends. `wait`: what the run waits for then; None for nothing, or for the next session alone."""

    ending: Ending
    why: str
    wait: Wait | None = None


Action: TypeAlias = (
    Start | OpenWave | SoakWave | VerifyWave | CloseWave | Hold | AskGate | ReadCloud | WaitUntil | Finish
)
