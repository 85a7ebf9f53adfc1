"""What calls are for, and which kind goes next. A rehearsal asks it too."""

from collections.abc import Mapping, Sized
from enum import Enum, auto

#: The share of the slots that polls have at least, while some wait.
_POLL_SHARE = 0.3


class Lane(Enum):
    """What a call is for."""

    SEND = auto()
    START = auto()
    POLL = auto()


class LaneOrder:
    """Which lane has the next slot."""

    def __init__(self) -> None:
        self._poll_credit = 0.0

    def next(self, waiting: Mapping[Lane, Sized]) -> Lane | None:
        """The lane whose first caller goes next; None when nobody waits."""
        starters = Lane.SEND if waiting[Lane.SEND] else Lane.START if waiting[Lane.START] else None
        if not waiting[Lane.POLL]:
            return starters
        if starters is None:
            return Lane.POLL
        self._poll_credit += _POLL_SHARE
        if self._poll_credit < 1:
            return starters
        self._poll_credit -= 1
        return Lane.POLL
