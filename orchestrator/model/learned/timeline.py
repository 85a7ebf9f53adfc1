"""The clocks of a run as its journal tells of them, and how much time has passed between two of its moments.

Within a session time is monotonic, and the clouds' clocks must say so too. Across sessions only the cloud's own time
counts, by the `Date` of its answers: the wall clock may have been set, and the host may be another one.

No reading outweighs the others. When a cloud's clock falls back, what it takes away is at most the time in which it
fell, between an answer that still agreed and one that no longer did: before and after, both clocks go on alike.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
from msgspec import structs

from orchestrator.model.learned.cloud_clock import CloudClock
from orchestrator.model.record.moment import Moment
from orchestrator.model.record.record import Clocks, ClockStepped, CloudTimeLearned, SessionStarted


class Timeline(msgspec.Struct):
    """Turns instants of the present session into moments, and moments into time that has passed.

    Attributes:
        session: number of the present session, 0 before the first.
        offsets: the cloud's time minus that of the session's clock in seconds, by scope, as far as is known.
        stepped_s: how far the wall clock was set in this session.
        last_step: the latest step of any clock in it.
    """

    session: int = 0
    offsets: dict[str, float] = {}
    stepped_s: float = 0.0
    last_step: ClockStepped | None = None
    _clouds: dict[str, CloudClock] = {}
    _began: datetime | None = None
    _told: dict[str, list[tuple[int, float]]] = {}

    @property
    def last_offsets(self) -> dict[str, float]:
        """The offsets of each scope that any session has told last, against the wall clock as it was set since then."""
        last = {scope: told[-1] for scope, told in self._told.items()}
        return {
            scope: offset_s - (self.stepped_s if session == self.session else 0.0)
            for scope, (session, offset_s) in last.items()
        }

    def begin(self, record: SessionStarted) -> None:
        """A session starts, and knows nothing yet of the cloud's time."""
        self.session += 1
        self.offsets, self._clouds, self.stepped_s = {}, {}, 0.0
        self.last_step = None
        self._began = record.at

    def learn(
        self, scope: str, at: datetime, offset_s: float, within_s: float = 1.0, agreed_at: datetime | None = None
    ) -> None:
        """The offset of a scope to the cloud is known, or has changed: at least this, and at most `within_s` more.

        `agreed_at`: when an answer last agreed with the offset before; None when that is not known.
        """
        if scope in self._clouds:
            self._clouds[scope].change(at, offset_s, within_s, agreed_at)
        else:
            self._clouds[scope] = CloudClock(at, offset_s, within_s, lowest_s=offset_s)
        self.offsets[scope] = offset_s
        self._told.setdefault(scope, []).append((self.session, offset_s))

    def note(self, record: CloudTimeLearned | ClockStepped) -> None:
        """Fold a record of the clocks."""
        match record:
            case CloudTimeLearned():
                agreed_at = None if record.unsure_s is None else record.at - timedelta(seconds=record.unsure_s)
                self.learn(record.scope, record.at, record.offset_s, record.within_s, agreed_at)
            case ClockStepped():
                self.last_step = record
                self.stepped_s += record.by_s if record.clock == "host" else 0.0

    def moment(self, at: datetime, scope: str, clocks: Clocks | None = None) -> Moment:
        """An instant of this session, with the time of the scope's cloud, as the record tells it or as it is known.

        What was made before that time was known does not tell it, also where it is folded afterwards: the program may
        count the cloud's time before records that stand before it in the journal.
        """
        if clocks is not None:
            return Moment(at, self.session, clocks.cloud_at, clocks.within_s)
        cloud = self._clouds.get(scope)
        return Moment(at, self.session) if cloud is None or at <= cloud.known_from else cloud.at(at, self.session)

    def answered(self, sent: Moment, at: datetime, scope: str) -> Moment:
        """When the answer to a call came: by the clock of the host that sent it, though another may work by now."""
        if sent.session == self.session:
            return self.moment(at, scope)
        return structs.replace(sent, at=at, cloud_at=None if sent.cloud_at is None else sent.cloud_at + (at - sent.at))

    def clocks(self, at: datetime, monotonic_s: float, scope: str | None) -> Clocks:
        """What a record tells of the clocks: of the cloud of a scope, or of the first whose time is known."""
        moment = self.moment(at, next(iter(self.offsets), "") if scope is None else scope)
        return Clocks(monotonic_s=round(monotonic_s, 3), cloud_at=moment.cloud_at, within_s=moment.within_s)

    def moments(self, at: datetime, clouds: Mapping[str, Clocks]) -> Mapping[str, Moment]:
        """The same for something that concerns every scope: one for each whose time the record tells."""
        return {scope: self.moment(at, scope, clocks) for scope, clocks in clouds.items()} or {
            "": Moment(at, self.session)
        }

    def clouds(self, at: datetime, monotonic_s: float) -> dict[str, Clocks]:
        """What a record tells of the clocks that concerns every scope."""
        return {scope: self.clocks(at, monotonic_s, scope) for scope in self.offsets}

    def tells(self, since: Mapping[str, Moment]) -> bool:
        """Whether this session knows how long ago something was that concerns every scope."""
        here = any(moment.session == self.session for moment in since.values())
        return here or any(scope in self.offsets for scope in since)

    def here(self, moment: Moment | None) -> datetime | None:
        """The instant of a moment by the clock of this session; None for one of an earlier session."""
        return moment.at if moment is not None and moment.session == self.session else None

    def cloud_time(self, moment: Moment, scope: str) -> datetime:
        """The cloud's time at a moment; by the present offset when it was not known then."""
        return moment.cloud_at or moment.at + timedelta(seconds=self.offsets.get(scope, 0.0))

    def earliest(self, moment: Moment, scope: str) -> datetime:
        """The cloud's time at a moment by that reading which puts it first.

        Each one since the session of the moment counts, and this host's clock: any of them may be wrong, and a wrong
        one hides nothing that began at that moment.
        """
        told = [offset_s for session, offset_s in self._told.get(scope, ()) if session >= moment.session]
        return min(
            self.cloud_time(moment, scope), *(moment.at + timedelta(seconds=offset_s) for offset_s in (0.0, *told))
        )

    def elapsed_s(self, since: Moment, at: datetime, scope: str) -> float:
        """Seconds from a moment of any session to an instant of this one, as far as they have passed for certain."""
        if since.session == self.session:
            return self._passed_s(since.at, at, scope)
        cloud = self._clouds.get(scope)
        before_s = None if cloud is None else cloud.before_s(since)
        if cloud is None or before_s is None:  # the whole time again
            return self._passed_s(self._began or at, at, scope)
        return before_s + self._passed_s(cloud.known_from, at, scope)

    def _passed_s(self, since: datetime, at: datetime, scope: str) -> float:
        """Seconds between two instants of this session, by its clock and by the cloud's."""
        cloud = self._clouds.get(scope)
        taken_s = 0.0 if cloud is None else cloud.takes_s(since)
        return max(0.0, (at - since).total_seconds() - taken_s)

    def least_elapsed_s(self, since: Mapping[str, Moment], at: datetime) -> float:
        """The same for something that concerns every scope: what has passed by each cloud whose time is known."""
        known = [scope for scope in since if scope in self.offsets] or list(since)[:1]
        return min((self.elapsed_s(since[scope], at, scope) for scope in known), default=0.0)
