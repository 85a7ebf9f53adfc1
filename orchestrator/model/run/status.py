"""Where waves and scopes stand: what is known of the parts of a run beside its targets."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from orchestrator.model.record.moment import Moment
from orchestrator.model.record.record import (
    ScopeGivenUp,
    ScopeHeard,
    ScopeLeft,
    ScopeOpened,
    ScopePaused,
    ScopeServed,
    ScopeSilent,
    ScopeThrottled,
    ScopeUsed,
)

ScopeRecord: TypeAlias = (
    ScopePaused
    | ScopeThrottled
    | ScopeOpened
    | ScopeGivenUp
    | ScopeUsed
    | ScopeSilent
    | ScopeHeard
    | ScopeServed
    | ScopeLeft
)


class WaveStatus(msgspec.Struct):
    """Where a wave stands.

    Attributes:
        soaks_until: by the clock of the session in which its soak began.
        soaking: when that was, by the clouds of all scopes.
        soak_s: how long it has to soak.
        approved_by: who approved it; None while nobody has, or when a release of the fleet did.
        passed: it was held because nothing succeeded, and a person released it.
        sent: how many of its targets were sent.
        accepted: of these, the ones that a release came after the end of, or after they were stuck.
        rereading: its soak is over, and each host was asked to read once more what it serves.
    """

    name: str
    opened_at: datetime | None = None
    soaks_until: datetime | None = None
    soaking: Mapping[str, Moment] = {}
    soak_s: float = 0.0
    done_at: datetime | None = None
    approved: bool = False
    approved_by: str | None = None
    passed: bool = False
    sent: int = 0
    accepted: int = 0
    rereading: bool = False
    targets: list[str] = []


ScopeState: TypeAlias = Literal["open", "throttled", "paused", "given_up", "silent", "unreached"]

#: Why nothing is known of a scope that has not let a call through yet, whatever its calls wait for.
_UNREACHED = "it has not been reached in this session"


class ScopeStanding(NamedTuple):
    """Whether a scope can be used: its state, why it is not open, and since and until when, where that is known."""

    state: ScopeState
    reason: str | None = None
    until: datetime | None = None
    since: datetime | None = None


class ScopeStatus(msgspec.Struct):
    """Where a scope stands, and how much it was used.

    Attributes:
        opened: it was reached in the present session.
        since: since when it is paused, given up, or to be reached by the present session.
        asked_at: when it was last seen that calls to it are made, in whatever session.
        hosts: those that may serve it, where it is given up because the one that works may not.
        silent: that nothing comes from it, though it is asked.
        unmetered: metrics of its proxies cannot be read in the present session.
        got_through: attempts that were answered, and not turned away.
        server: the host that serves it, where that is another one than the one that decides.
        served_at: when that host began.
    """

    name: str
    project_id: str | None = None
    opened: bool = False
    paused: str | None = None
    given_up: str | None = None
    hosts: tuple[str, ...] = ()
    since: datetime | None = None
    asked_at: datetime | None = None
    silent: ScopeSilent | None = None
    throttled_until: datetime | None = None
    throttled_why: str | None = None
    probe_at: datetime | None = None
    unmetered: bool = False
    got_through: int = 0
    calls: int = 0
    throttled: int = 0
    rate_limit: float | None = None
    seconds: float = 0.0
    server: str | None = None
    served_at: datetime | None = None

    def standing(self, at: datetime) -> ScopeStanding:
        """Whether it can be used at an instant of the session's clock."""
        if self.given_up is not None:
            return ScopeStanding("given_up", self.given_up, since=self.since)
        if self.throttled_until is not None and self.throttled_until > at:
            return ScopeStanding("throttled", self.throttled_why, self.throttled_until)
        if self.paused is not None:
            return ScopeStanding("paused", self.paused, since=self.since)
        if self.silent is not None:
            return ScopeStanding("silent", self.silent.why, since=self.silent.since)
        return ScopeStanding("open") if self.opened else ScopeStanding("unreached", _UNREACHED, since=self.since)

    def begin_session(self, at: datetime) -> None:
        """Nothing is known of it, until the session that begins then has reached it."""
        self.clear()
        self.opened = self.unmetered = False
        self.since, self.server, self.served_at = at, None, None

    def serve(self, record: ScopeServed) -> None:
        """The same for a host that begins to serve it."""
        self.begin_session(record.at)
        self.server, self.served_at = record.host, record.at
        self.rate_limit = record.rate_limit or self.rate_limit

    def leave(self, host: str, at: datetime) -> None:
        """The host that serves it leaves it to others."""
        self.paused, self.since = f"host {host}, which served it, has left; another one may go on", at

    def clear(self) -> None:
        """It is open, as far as is known."""
        self.paused = self.given_up = self.since = self.silent = self.throttled_until = self.probe_at = None
        self.hosts = ()

    def apply(self, record: ScopeRecord) -> None:
        """A record of this scope counts from now on."""
        match record:
            case ScopePaused():
                self.paused, self.since = record.why, record.at
            case ScopeThrottled():
                self.throttled_until, self.probe_at = record.until, record.probe_at
                self.throttled_why = record.why
            case ScopeOpened():
                self.clear()
                self.opened, self.asked_at = True, record.at
                self.project_id = record.project_id or self.project_id
            case ScopeGivenUp():
                self.given_up, self.hosts, self.since = record.why, record.hosts, record.at
            case ScopeUsed():
                self.calls += record.calls
                self.asked_at = record.at if record.calls else self.asked_at
                self.throttled += record.throttled
                self.rate_limit = record.rate_limit
                self.seconds += record.seconds
            case ScopeSilent():
                self.silent = record
            case ScopeHeard():
                self.silent = None
            case ScopeServed():
                self.serve(record)
            case ScopeLeft():
                self.leave(record.host, record.at)
