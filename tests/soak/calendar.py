"""What the calendar may show at a right instant: the host's wall clock, or the cloud's time where they disagree."""

from collections.abc import Iterator

from soak.trial import Evidence

#: From here on a host is wrong. A cloud's time is known to a few seconds, so close to it either may be right.
_WRONG_S, _UNSURE_S = 60.0, 16.0


class Calendar:
    """By which time windows are judged."""

    def __init__(self, evidence: Evidence) -> None:
        self._host = evidence.fleet.host
        self._skew_s = evidence.cloud.profile.clock_skew_s
        self._dates_lie = bool(evidence.fleet.dose.share)

    def readings_s(self, now_s: float) -> Iterator[float]:
        """Every instant that it may show, in seconds."""
        host_s = self._host.ahead_s(now_s)
        apart_s = abs(self._skew_s - host_s)
        if apart_s < _WRONG_S + _UNSURE_S or self._dates_lie:
            yield now_s + host_s
        if apart_s > _WRONG_S - _UNSURE_S:
            yield now_s + self._skew_s
            yield now_s + self._skew_s - _UNSURE_S
