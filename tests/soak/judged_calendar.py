"""What the calendar may show at a right instant: the host's wall clock, or the cloud's time where they disagree."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from soak.evidence import Evidence
from soak.loop import seconds

#: From here on a host is wrong. A cloud's time is known to a few seconds, so close to it either may be right.
_WRONG_S, _UNSURE_S = 60.0, 16.0


class Calendar:
    """By which time windows are judged."""

    def __init__(self, evidence: Evidence) -> None:
        self._host = evidence.fleet.host
        self._skew_s = evidence.cloud.profile.clock_skew_s
        self._dates_lie = bool(evidence.fleet.dose.share)

    def readings(self, at: datetime) -> Iterator[datetime]:
        """Every instant that it may show."""
        return (at + timedelta(seconds=ahead_s) for ahead_s in self._ahead_s(seconds(at)))

    def _ahead_s(self, now_s: float) -> Iterator[float]:
        host_s = self._host.ahead_s(now_s)
        apart_s = abs(self._skew_s - host_s)
        if apart_s < _WRONG_S + _UNSURE_S or self._dates_lie:
            yield host_s
        if apart_s > _WRONG_S - _UNSURE_S:
            yield self._skew_s
            yield self._skew_s - _UNSURE_S
