"""What a judge is told of a session, because the journal does not say it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from orchestrator.model.plan.plan import Limits

#: Every instant that the calendar may show at a right instant: who knows its clock gives one.
Readings: TypeAlias = Callable[[datetime], Iterable[datetime]]


@dataclass(frozen=True)
class Session:
    """What binds one session.

    Attributes:
        limits: of the plan as it was then; a person may change them between two nights.
        no_starts_from: instants from which on nothing may start, by why.
        raised: an exception was raised on purpose, so that exit 70 is right.
    """

    limits: Limits
    no_starts_from: Mapping[str, datetime] = field(default_factory=dict)
    raised: bool = False


#: What bound the session of this number.
SessionOf: TypeAlias = Callable[[int], Session]


def as_the_clock_says(at: datetime) -> Iterable[datetime]:
    """The calendar of who has a right clock."""
    return (at,)
