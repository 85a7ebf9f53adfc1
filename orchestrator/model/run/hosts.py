"""The hosts that have worked on a run, one after the other, as its sessions tell of them. Bounded by their number."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from orchestrator.model.record.record_base import Base
from orchestrator.model.record.session_record import LEFT_FOR, SessionEnded, SessionStarted


class Stay(Struct, kw_only=True):
    """What one host has done of a run.

    Attributes:
        joined_at: when its first session began.
        left_at: when its latest ended, or wrote its last record before another session began; None before that.
        lost: that session never said that it ended, and another one began after it.
        targets: how many targets it has sent an attempt of.
    """

    joined_at: datetime
    left_at: datetime | None = None
    lost: bool = False
    targets: int = 0


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
    """

    stays: dict[str, Stay] = {}
    by_session: list[str] = []
    takeover: Takeover | None = None
    stopped: bool = False
    left_by: tuple[str, ...] = ()
    settled: bool = False

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
            case _:
                pass

    def leaving(self) -> tuple[str, ...]:
        """Those that have left it to others when the host at work does so now: itself, and those before it."""
        earlier = () if self.settled else self.left_by
        return tuple(dict.fromkeys((*earlier, *self.by_session[-1:])))

    def send(self, earlier: Iterable[int]) -> None:
        """The host at work sends an attempt of a target, whose earlier ones are of these sessions."""
        name = self.name_of(len(self.by_session))
        if name is not None and name not in map(self.name_of, earlier):
            self.stays[name].targets += 1

    def _join(self, record: SessionStarted, before: datetime) -> None:
        last = self.name_of(len(self.by_session))
        lost = last is not None and self._lose(last, before)
        if last is not None and last != record.host and (lost or self.stopped):
            self.takeover = Takeover(record.at, last, record.host, lost)
        left_at = None if last is None else self.stays[last].left_at
        if left_at is None or record.at - left_at > LEFT_FOR:
            self.left_by = ()  # nobody's turn came after another's: it was started
        self.settled = False
        stay = self.stays.setdefault(record.host, Stay(joined_at=record.at))
        stay.left_at, stay.lost, self.stopped = None, False, False
        self.by_session.append(record.host)

    def _lose(self, name: str, before: datetime) -> bool:
        """Whether the host of the latest session never said that it ended."""
        stay = self.stays[name]
        if stay.left_at is None:
            stay.left_at, stay.lost = before, True
            return True
        return False
