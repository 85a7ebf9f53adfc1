"""The hosts that have worked on a run, one after the other, as its sessions tell of them. Bounded by their number."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from orchestrator.model.record.record_base import Base
from orchestrator.model.record.session_record import LEFT_FOR, SessionEnded, SessionStarted
from orchestrator.model.record.turn_record import ScopeLeft, ScopeServed


class Stay(Struct, kw_only=True):
    """What one host has done of a run.

    Attributes:
        joined_at: when its first session began.
        left_at: when its latest ended, or wrote its last record before another session began; None before that.
        lost: that session never said that it ended, and another one began after it.
        targets: how many targets it has sent an attempt of.
        led: it decided what starts, in one session at least.
    """

    joined_at: datetime
    left_at: datetime | None = None
    lost: bool = False
    targets: int = 0
    led: bool = False


class Takeover(Struct, frozen=True):
    """A host went on where another one was killed, stood still or was told to stop.

    Attributes:
        lost: the other one never said that it left.
    """

    at: datetime
    before: str
    now: str
    lost: bool


class Hosts(Struct):
    """Who has worked on a run.

    Attributes:
        stays: by name, in the order in which they joined.
        by_session: the name of the host of each session.
        takeover: the latest one.
        stopped: the latest session was told to stop.
        left_by: hosts that left what they may not serve to others, one after the other, while no target was settled.
        settled: a target was settled in the latest session.
        serving: who serves scopes for the host at work, by the name of the scope.
    """

    stays: dict[str, Stay] = {}
    by_session: list[str] = []
    takeover: Takeover | None = None
    stopped: bool = False
    left_by: tuple[str, ...] = ()
    settled: bool = False
    serving: dict[str, str] = {}

    def name_of(self, session: int) -> str | None:
        """The host of a session by its number; None when no session of that number is known."""
        return self.by_session[session - 1] if 0 < session <= len(self.by_session) else None

    def note(self, record: Base, before: datetime | None) -> None:
        """Take one record of the run itself.

        Args:
            record: the record.
            before: the instant of the record before it.
        """
        match record:
            case SessionStarted():
                self._join(record, before or record.at)
            case SessionEnded() if self.by_session:
                self.stays[self.by_session[-1]].left_at, self.stopped = record.at, record.stopped
                self.left_by = record.left_by
                self._end_serving(record.at)
            case ScopeServed():
                self._serve(record)
            case ScopeLeft():
                self.stays[record.host].left_at = record.at
            case _:
                pass

    def leaving(self) -> tuple[str, ...]:
        """Those that have left it to others when the host at work does so now: itself, and those before it."""
        earlier = () if self.settled else self.left_by
        return tuple(dict.fromkeys((*earlier, *self.by_session[-1:])))

    def _serve(self, record: ScopeServed) -> None:
        """A host begins to serve a scope for the one that decides, or goes on."""
        before = self.serving.get(record.scope)
        if before not in (None, record.host):
            self._lose(before, record.at)
        self.serving[record.scope] = record.host
        stay = self.stays.setdefault(record.host, Stay(joined_at=record.at))
        stay.left_at, stay.lost = None, False

    def _end_serving(self, at: datetime) -> None:
        """Who serves does so for one session of the host at work."""
        for name in self.serving.values():
            self.stays[name].left_at = self.stays[name].left_at or at
        self.serving.clear()

    def send(self, server: str | None, earlier: Iterable[str | None]) -> str | None:
        """An attempt of a target is made; who makes it.

        Args:
            server: who serves its scope, where the host that decides does not.
            earlier: who made the earlier ones.
        """
        name = server or self.name_of(len(self.by_session))
        if name is not None and name not in earlier:
            self.stays[name].targets += 1
        return name

    def _join(self, record: SessionStarted, before: datetime) -> None:
        last = self.name_of(len(self.by_session))
        self._end_serving(before)
        lost = last is not None and self._lose(last, before)
        if last is not None and last != record.host and (lost or self.stopped):
            self.takeover = Takeover(record.at, last, record.host, lost)
        left_at = None if last is None else self.stays[last].left_at
        if left_at is None or record.at - left_at > LEFT_FOR:
            self.left_by = ()  # nobody's turn came after another's: it was started
        self.settled = False
        stay = self.stays.setdefault(record.host, Stay(joined_at=record.at))
        stay.left_at, stay.lost, stay.led, self.stopped = None, False, True, False
        self.by_session.append(record.host)

    def _lose(self, name: str, before: datetime) -> bool:
        """Whether the host of the latest session never said that it ended."""
        stay = self.stays[name]
        if stay.left_at is None:
            stay.left_at, stay.lost = before, True
            return True
        return False
