"""The calendar of a session: the host's wall clock, corrected by the clouds where they disagree; and its steps."""

from collections.abc import Mapping
from datetime import timedelta

import msgspec

from orchestrator.executor.ports import Clock
from orchestrator.executor.scope.cloud_time import STEP_S, TOLERATED_S
from orchestrator.model.learned.median import median


def calendar_ahead_s(host_s: float, clouds: Mapping[str, float]) -> float:
    """How far the calendar is ahead of the session's clock.

    Args:
        host_s: how far the wall clock is.
        clouds: the same for the clouds, by scope: the median of them is the cloud's time.
    """
    if not clouds:
        return host_s
    cloud_s = median(clouds.values())
    return cloud_s if abs(cloud_s - host_s) > TOLERATED_S else host_s


class HostTime(msgspec.Struct):
    """The wall clock of this host beside the session's clock."""

    clock: Clock
    _known_s: float = 0.0

    @property
    def ahead_s(self) -> float:
        """How far the wall clock is ahead of the session's clock: by what it was set since the session began."""
        return (self.clock.wall() - self.clock.now()).total_seconds()

    def ahead(self, clouds: Mapping[str, float]) -> timedelta:
        """How far the calendar is ahead of the session's clock."""
        return timedelta(seconds=calendar_ahead_s(self.ahead_s, clouds))

    def step_s(self) -> float | None:
        """By how much the wall clock was set since it was last asked for; None when it was not."""
        change_s = self.ahead_s - self._known_s
        if abs(change_s) < STEP_S:
            return None
        self._known_s += change_s
        return change_s
