"""Records by which the host that decides and those that serve scopes tell each other what the log does not say else."""

from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import field

from orchestrator.model.record.record_base import Base


class TurnGiven(Base, frozen=True, kw_only=True):
    """A target may start: it holds a reservation until its intent, until it is put off or settled, or its turn returns.

    It ends with its session, whoever takes the run up: limits may be others then, and only who decides knows them all.

    Attributes:
        answered: by the name of each gate that is asked before starts, when it let this one through.
    """

    step: str = "turn"
    wave: str
    answered: dict[str, datetime] = field(default_factory=dict)


class TurnReturned(Base, frozen=True, kw_only=True):
    """Its story has ended without an attempt and without anything to tell: it waits again, and not before `until`."""

    step: str = "turn"
    until: datetime


class Rested(Base, frozen=True, kw_only=True):
    """Nothing but new evidence will move an open target: its story keeps no session alive."""

    step: str = "turn"


class ScopeServed(Base, frozen=True, kw_only=True):
    """From now on a host that stood by runs the stories of a scope, which the one that decides may not.

    Attributes:
        rate_limit: calls per second with which it begins; None in logs of hosts that did not tell.
    """

    step: str = "scope"
    scope: str
    host: str
    rate_limit: float | None = None


class ScopeLeft(Base, frozen=True, kw_only=True):
    """The host that serves a scope was told to stop: another one may go on."""

    step: str = "scope"
    scope: str
    host: str


class ReadingAsked(Base, frozen=True, kw_only=True):
    """Starts wait for something of the cloud that only the host of a scope can read.

    Attributes:
        kind: the addresses of a subnet, or the cloud's own events of a scope.
        value: which subnet, or the scope once more.
    """

    step: str = "scope"
    scope: str
    kind: Literal["subnet", "events"]
    value: str


class RereadAsked(Base, frozen=True, kw_only=True):
    """The soak of a wave is over: each host reads those of its proxies once more that it serves."""

    step: str = "wave"
    wave: str


SharedRecord: TypeAlias = ScopeServed | ScopeLeft | ReadingAsked | RereadAsked
