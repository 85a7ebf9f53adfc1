"""Moments of a run, and how much time has passed between two of them. Pure.

Within a session time is monotonic. Across sessions only the cloud's own time counts, by the `Date` of its answers: the
wall clock may have been set, and the host may be another one. Where both are known, time has passed only when both say
so.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Moment:
    """When something happened.

    Attributes:
        at: by the clock of its session, which is monotonic; it says nothing in another session.
        session: number of that session.
        cloud_at: the cloud's own time, by the offset known then; None without a `Date`. It was at least that …
        within_s: … and at most so much later.
    """

    at: datetime
    session: int
    cloud_at: datetime | None = None
    within_s: float = 1.0


def elapsed_s(since: Moment, now: Moment, anchor: Moment) -> float:
    """Seconds that have passed for certain, never negative.

    Args:
        since: of this session or an earlier one.
        now: of this session.
        anchor: the first moment of this session at which the cloud's time was known; its start when none is. What lies
            before it is taken from the cloud, what lies after it from both clocks.
    """
    if since.session == now.session:
        return max(0.0, _within_s(since, now))
    before_s = _cloud_s(since, anchor)
    return max(0.0, (0.0 if before_s is None else before_s - since.within_s) + _within_s(anchor, now))


def waited_s(since: Moment, now: Moment, anchor: Moment) -> float:
    """The same for a wait that decides nothing about an upgrade: within a session monotonic time alone.

    Nothing may be asked of the cloud meanwhile, so a `Date` that was wrong once would hold it up for ever.
    """
    if since.session == now.session:
        return max(0.0, (now.at - since.at).total_seconds())
    return elapsed_s(since, now, anchor)


def _within_s(since: Moment, now: Moment) -> float:
    steady_s, cloud_s = (now.at - since.at).total_seconds(), _cloud_s(since, now)
    return steady_s if cloud_s is None else min(steady_s, cloud_s)


def _cloud_s(since: Moment, now: Moment) -> float | None:
    if since.cloud_at is None or now.cloud_at is None:
        return None
    return (now.cloud_at - since.cloud_at).total_seconds()
