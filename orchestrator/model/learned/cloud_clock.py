"""The clock of one cloud in a session, as the journal tells of it, beside the clock of the session. Pure."""

from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from orchestrator.model.record.moment import Moment


class SetBack(NamedTuple):
    """The cloud's clock fell back against the session's.

    Attributes:
        agreed_at: when it had last been seen to go on as before.
        seen_at: when it was seen.
        by_s: how far.
    """

    agreed_at: datetime
    seen_at: datetime
    by_s: float

    def takes_s(self, since: datetime) -> float:
        """How much of the time since an instant has not passed for certain: none before and after the fall itself."""
        fell_s = (self.seen_at - max(since, self.agreed_at)).total_seconds()
        return max(0.0, min(self.by_s, fell_s))


class CloudClock(msgspec.Struct):
    """One cloud's clock.

    Attributes:
        known_from: since when it is known in this session.
        offset_s: the cloud's time minus the session's, in seconds: at least that …
        within_s: … and at most so much more.
        lowest_s: the least that `offset_s` was in this session.
    """

    known_from: datetime
    offset_s: float
    within_s: float
    lowest_s: float
    _set_back: list[SetBack] = []

    def change(self, at: datetime, offset_s: float, within_s: float, agreed_at: datetime | None) -> None:
        """The offset has changed; `agreed_at`: when an answer agreed with the one before, if that is known."""
        if offset_s < self.offset_s:
            agreed_at = self.known_from if agreed_at is None else agreed_at
            self._set_back.append(SetBack(agreed_at, at, self.offset_s - offset_s))
        self.offset_s, self.within_s = offset_s, within_s
        self.lowest_s = min(self.lowest_s, offset_s)

    def at(self, at: datetime, session: int) -> Moment:
        """An instant of the session, with the cloud's time."""
        return Moment(at, session, at + timedelta(seconds=self.offset_s), self.within_s)

    def before_s(self, since: Moment) -> float | None:
        """Seconds from a moment of an earlier session until the clock was known in this one.

        As much as both clocks say, the cloud's and this host's: either may have been set between the sessions, and
        neither ends anything early. None when that moment does not tell the cloud's time. 0 when one of them goes back
        behind it: nothing is known then of the time between the sessions, and all of it is waited for again.
        """
        if since.cloud_at is None:
            return None
        known_from = self.known_from + timedelta(seconds=self.lowest_s)
        told_s = (known_from - since.cloud_at).total_seconds() - since.within_s
        return max(0.0, min(told_s, (self.known_from - since.at).total_seconds()))

    def takes_s(self, since: datetime) -> float:
        """How much of the time since an instant of this session has not passed by this clock."""
        taken_s = 0.0
        for each in reversed(self._set_back):
            if each.seen_at <= since:
                break
            taken_s += each.takes_s(since)
        return taken_s
