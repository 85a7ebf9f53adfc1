"""What a run or a target waits for: every cause there is, each with its sentence. Pure.

`next_action` says which one holds; a live display, `status` and the journal say it in these words.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import Self

import msgspec

from orchestrator.spoken import spoken


class Cause(Enum):
    """Everything that can be waited for, each with the form of its sentence."""

    HOLD = "a person, to release the fleet: {0}"
    APPROVAL = "approval of wave {0}"
    CHANGED = "a person: the plan was changed, which needs --new: {0}"
    ELSEWHERE = "another fleet: {0}"
    UNSEEN = "the next start, unless discovery finds what fleet {0} has open in the same project"
    SOAK = "the soak of wave {0}"
    REACH = "every scope to be reached, before anything starts: {0}"
    THROTTLED = "scope {0}: throttled by the cloud: {2}; until {3} UTC{1}"
    PAUSED = "scope {0}: paused, one probe at a time asks whether it is back: {1}"
    UNREACHED = "scope {0}: it has not been reached {1}"
    SILENT = "scope {0}: it is asked, and does not answer: {1}"
    LAST_SEEN = "scope {0}, which the last process could not use: {1}"
    GIVEN_UP = "scope {0}: given up for this session, the next start tries again: {1}"
    UNSERVED = "scope {0}: paused, no host may serve it but {1}"
    EARLIER_WAVE = "its wave has not opened; wave {0} comes first"
    WINDOW = "{0}"
    FREEZE = "frozen; {0}"
    FIT = "too late for an upgrade to end before the window closes at {0}; {1}"
    PER_WINDOW = "room: {0} made {1}, per_window allows {3}; {2}"
    GATE = "gate {0} to open, closed since {1} UTC: {2}"
    ASKED = "the answer of gate {0}"
    SUBNET = "addresses: {0}"
    EVENT = "the cloud's own events: {0}"
    BOUND = "the next session: the time for starts in this one is over"
    BUSY = "{0}; another try at {1} UTC"
    LABEL = "a free slot of a label: {0} is full"
    LIMIT = "a free slot: {0} is full"
    RAMP = "a success, with which the ramp grows: {0}"
    BUDGET = "the end of what is in flight, which could use up a budget: {0}"
    RATE = "its turn: scope {0} may make {1} calls a second"
    RELEASED = "the next start: {0}"
    TURN = "the next start; nothing stands in its way"
    STEP = "nothing: its next step is under way"
    MEASURED = "the metrics of the last upgrades"
    DOUBT = "evidence of what became of {0}"
    LOOK = "the next start, which looks for evidence of what became of {0}"
    JOB = "the end of {0}"
    PERSON = "a person, to settle {0}"
    BROKEN = "the next session, after an internal error: {0}"
    BEHIND = "a person: {1} of {2} not known to run {0}"
    LEFT_OUT = "a person: {1} of {2} not known to run {0}, and no run sends any of them as things stand"
    AGAIN = "the next run: {1} of {2} not known to run {0} yet"
    NOTHING = "nothing: {0}"


class Wait(msgspec.Struct, frozen=True):
    """What is waited for.

    Attributes:
        facts: what its sentence names.
        until: when it ends by itself, by the clock of the session; None when that is not known.
    """

    cause: Cause
    facts: tuple[str, ...] = ()
    until: datetime | None = None

    def __str__(self) -> str:
        return self.cause.value.format(*self.facts)

    @property
    def reason(self) -> str:
        """The same sentence where it tells why something ended, and not what is waited for."""
        return str(self).removeprefix("a person: ")

    @property
    def noted(self) -> tuple[str, ...]:
        """As a record keeps it: the name of its cause, and what its sentence names."""
        return (self.cause.name, *self.facts)

    @classmethod
    def recalled(cls, noted: Sequence[str]) -> Self | None:
        """What was noted; None when that is nothing."""
        return cls(Cause[noted[0]], tuple(noted[1:])) if noted else None

    def seen_at(self, now: datetime) -> str:
        """The sentence, with how far its end is away."""
        return str(self) if self.until is None else f"{self}, in {time_until(self.until, now)}"


def time_until(instant: datetime, now: datetime) -> str:
    """How far away an instant is: `3 h 12 min`."""
    return spoken(max(0, round((instant - now).total_seconds())))


def on_calendar(instant: datetime, ahead: timedelta) -> datetime:
    """The second of the calendar that an instant of the session's clock is nearest to.

    How far the calendar is ahead is measured each time, and not twice to the same microsecond: what came from midnight
    would else go back to just before it.
    """
    return (instant + ahead + timedelta(milliseconds=500)).replace(microsecond=0)


def shown(instant: datetime) -> str:
    """An instant as sentences name it, in UTC."""
    return f"{instant:%Y-%m-%d %H:%M:%S}"
