"""What the executor can decide to do next, as a closed set."""

from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

import msgspec

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


class Start(msgspec.Struct, frozen=True):
    """Take up this target."""

    target: Target
    wave: str


class OpenWave(msgspec.Struct, frozen=True):
    """The wave's turn has come."""

    wave: str


class SoakWave(msgspec.Struct, frozen=True):
    """The wave is settled; the next one opens after this instant."""

    wave: str
    until: datetime


class VerifyWave(msgspec.Struct, frozen=True):
    """The soak is over: read the wave's proxies once more, then it is done."""

    wave: str


class CloseWave(msgspec.Struct, frozen=True):
    """Nothing of the wave is left to do."""

    wave: str


class Hold(msgspec.Struct, frozen=True):
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


class AskGate(msgspec.Struct, frozen=True):
    """An answer of this gate is needed; nobody waits for it here."""

    gate: HealthGate


class ReadCloud(msgspec.Struct, frozen=True):
    """It has to be known how many addresses a subnet has left, or what the cloud is about to do; nobody waits here."""

    scope: str
    block: Block


class WaitUntil(msgspec.Struct, frozen=True):
    """Nothing can be done before something changes, or before this instant."""

    instant: datetime | None
    wait: Wait


class Finish(msgspec.Struct, frozen=True):
    """The session ends. `wait`: what the run waits for then; None for nothing, or for the next session alone."""

    ending: Ending
    why: str
    wait: Wait | None = None


Action: TypeAlias = (
    Start | OpenWave | SoakWave | VerifyWave | CloseWave | Hold | AskGate | ReadCloud | WaitUntil | Finish
)
