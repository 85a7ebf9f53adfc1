"""Moments of a run, by the clock of their session and by that of the cloud. Pure."""

from datetime import datetime

import msgspec


class Moment(msgspec.Struct, frozen=True):
    """When something happened.

    Attributes:
        at: by the clock of its session, which is monotonic in it, and follows this host's clock from one to the next.
        session: number of that session.
        cloud_at: the cloud's own time, by the offset known then; None without a `Date`. It was at least that …
        within_s: … and at most so much later.
    """

    at: datetime
    session: int
    cloud_at: datetime | None = None
    within_s: float = 1.0
