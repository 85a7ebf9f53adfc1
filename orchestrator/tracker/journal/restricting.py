"""Which records of others no intent may be added behind unknown: it counts in the order of the log that hosts share.

One that restricts starts may be why it would have been refused: a hold, a limit, harm, or another
intent, which takes a slot. Pure; the statement of the database is made of the same table.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from orchestrator.model.record.outcome import REPLACED, Outcome
from orchestrator.model.record.record import (
    AnswerSeen,
    CloudEventsRead,
    DoubtRemains,
    DoubtRenewed,
    FollowTimedOut,
    GateAnswered,
    HoldSet,
    Intent,
    LimitsChanged,
    Record,
    Reverified,
    RunEnded,
    SessionEnded,
    Settled,
    StoryFailed,
    SubnetRead,
)


class Unless(NamedTuple):
    """It restricts nothing when one of its fields says one of these."""

    field: str
    values: frozenset[object]

    def holds(self, record: Record) -> bool:
        """Whether it is so of this record."""
        return getattr(record, self.field) in self.values


_TABLE: Mapping[type[Record], Unless | None] = MappingProxyType(
    {
        AnswerSeen: Unless("verdict", frozenset({"accepted"})),
        GateAnswered: Unless("open", frozenset({True})),
        Reverified: Unless("healthy", frozenset({True})),
        Settled: Unless("outcome", frozenset({Outcome.SUCCEEDED, Outcome.ACCEPTED, *REPLACED})),
        **dict.fromkeys(
            (
                CloudEventsRead,
                DoubtRemains,
                DoubtRenewed,
                FollowTimedOut,
                HoldSet,
                Intent,
                LimitsChanged,
                RunEnded,
                SessionEnded,
                StoryFailed,
                SubnetRead,
            )
        ),
    }
)


def restricts(record: Record) -> bool:
    """Whether something may not start after this record that might before."""
    if type(record) not in _TABLE:
        return False
    unless = _TABLE[type(record)]
    return unless is None or not unless.holds(record)


def overtakes(others: Iterable[Record], targets: frozenset[str]) -> bool:
    """Whether intents of these targets may not be added behind these records by one who did not know them."""
    return bool(targets) and any(restricts(record) or record.target in targets for record in others)


class Marks(NamedTuple):
    """The same for a statement, which sees the name of a record and its JSON.

    Attributes:
        kinds: names of records that restrict.
        unless_kinds: those of them that do not …
        unless: … when this part of their JSON says so. Nothing in a string looks like it: quotes are escaped there.
    """

    kinds: tuple[str, ...]
    unless_kinds: tuple[str, ...]
    unless: tuple[bytes, ...]


def _marks() -> Marks:
    free = [
        (_name(kind), msgspec.json.encode({unless.field: value})[1:-1])
        for kind, unless in _TABLE.items()
        if unless is not None
        for value in sorted(unless.values, key=str)
    ]
    return Marks(tuple(map(_name, _TABLE)), tuple(name for name, _ in free), tuple(mark for _, mark in free))


def _name(kind: type[Record]) -> str:
    return str(kind.__struct_config__.tag)


#: Made once: the table does not change.
MARKS = _marks()
