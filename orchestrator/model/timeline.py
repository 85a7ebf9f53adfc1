"""The clocks of a run as its journal tells of them: which session it is, and how far the time of the clouds is away."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from orchestrator.model.moment import Moment, elapsed_s, waited_s
from orchestrator.model.record import Clocks, ClockStepped, CloudTimeLearned, SessionStarted


class Timeline:
    """Turns instants of the present session into moments, and moments into time that has passed.

    Attributes:
        session: number of the present session, 0 before the first.
        offsets: the cloud's time minus that of the session's clock in seconds, by scope, as far as is known.
        stepped_s: how far the wall clock was set in this session.
        last_step: the latest step of any clock in it.
    """

    def __init__(self) -> None:
        self.session = 0
        self.offsets: dict[str, float] = {}
        self._within_s: dict[str, float] = {}
        self.stepped_s = 0.0
        self.last_step: ClockStepped | None = None
        self._began: Moment | None = None
        self._anchors: dict[str, Moment] = {}

    def begin(self, record: SessionStarted) -> None:
        """A session starts, and knows nothing yet of the cloud's time."""
        self.session += 1
        self.offsets, self._anchors, self.stepped_s = {}, {}, 0.0
        self.last_step = None
        self._began = Moment(record.at, self.session)

    def learn(self, scope: str, at: datetime, offset_s: float, within_s: float = 1.0) -> None:
        """The offset of a scope to the cloud is known, or has changed: at least this, and at most `within_s` more."""
        self.offsets[scope], self._within_s[scope] = offset_s, within_s
        self._anchors.setdefault(scope, self.moment(at, scope))

    def note(self, record: CloudTimeLearned | ClockStepped) -> None:
        """Fold a record of the clocks."""
        match record:
            case CloudTimeLearned():
                self.learn(record.scope, record.at, record.offset_s, record.within_s)
            case ClockStepped():
                self.last_step = record
                self.stepped_s += record.by_s if record.clock == "host" else 0.0

    def moment(self, at: datetime, scope: str, clocks: Clocks | None = None) -> Moment:
        """An instant of this session, with the time of the scope's cloud, as the record tells it or as it is known."""
        if clocks is not None:
            return Moment(at, self.session, clocks.cloud_at, clocks.within_s)
        offset_s = self.offsets.get(scope)
        if offset_s is None:
            return Moment(at, self.session)
        return Moment(at, self.session, at + timedelta(seconds=offset_s), self._within_s[scope])

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

    def elapsed_s(self, since: Moment, at: datetime, scope: str) -> float:
        """Seconds from a moment of any session to an instant of this one, as far as they have passed for certain."""
        return elapsed_s(since, self.moment(at, scope), self._anchor(since, at, scope))

    def waited_s(self, since: Moment, at: datetime, scope: str) -> float:
        """The same for a wait that decides nothing about an upgrade, as `moment.waited_s` says."""
        return waited_s(since, self.moment(at, scope), self._anchor(since, at, scope))

    def _anchor(self, since: Moment, at: datetime, scope: str) -> Moment:
        began = self._began or Moment(at, self.session)
        return began if since.cloud_at is None else self._anchors.get(scope, began)

    def least_elapsed_s(self, since: Mapping[str, Moment], at: datetime) -> float:
        """The same for something that concerns every scope: what has passed by each cloud whose time is known."""
        known = [scope for scope in since if scope in self.offsets] or list(since)[:1]
        return min((self.elapsed_s(since[scope], at, scope) for scope in known), default=0.0)
