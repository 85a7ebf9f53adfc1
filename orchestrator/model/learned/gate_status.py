"""Where gates stand, and for how long they were closed: by what they answered, and when sessions were at work. Pure.

What counts as closed is the time from the answer that closed a gate to the one that opened it, in each session from its
own first answer on: between two sessions nobody asks, and a plan may name a gate no more.
"""

from collections.abc import Iterator
from datetime import datetime

import msgspec
from msgspec import structs

from orchestrator.model.record.gate_record import GateAnswered
from orchestrator.model.record.record import HoldReleased, Record, SessionStarted


class GateStatus(msgspec.Struct, frozen=True):
    """Where a gate stands.

    Attributes:
        latest: the latest answer that is recorded.
        since: since when it is open or closed, in whatever session that was.
        times: how often it was closed.
        counted: from when on the latest session counts its time as closed; None while it is open, or not asked yet.
        closed_before_s: seconds in which it was closed before that, in all.
        spell_before_s: the same since it was closed last, and since the latest release.
    """

    latest: GateAnswered
    since: datetime
    times: int
    counted: datetime | None = None
    closed_before_s: float = 0.0
    spell_before_s: float = 0.0

    def closed_s(self, at: datetime) -> float:
        """Seconds in which it was closed, up to an instant of the latest session."""
        return self.closed_before_s + self._more_s(at)

    def spell_s(self, at: datetime) -> float:
        """The same since it was closed last, and since the latest release."""
        return self.spell_before_s + self._more_s(at)

    def _more_s(self, at: datetime) -> float:
        return 0.0 if self.counted is None else max(0.0, (at - self.counted).total_seconds())

    def paused(self, at: datetime) -> "GateStatus":
        """The same with its time up to an instant put down; it counts no further before the next answer."""
        return structs.replace(self, counted=None, closed_before_s=self.closed_s(at), spell_before_s=self.spell_s(at))

    def answered(self, record: GateAnswered) -> "GateStatus":
        """Where it stands by one more answer."""
        if record.open == self.latest.open:
            return structs.replace(self, latest=record, counted=None if record.open else self.counted or record.at)
        return structs.replace(
            first(record), times=self.times + (not record.open), closed_before_s=self.closed_s(record.at)
        )

    def released(self, at: datetime) -> "GateStatus":
        """The same after a person has released the fleet: the time until a hold begins again."""
        return structs.replace(self.paused(at), counted=self.counted and at, spell_before_s=0.0)


def first(record: GateAnswered) -> GateStatus:
    """Where a gate stands by its first answer."""
    return GateStatus(record, record.at, times=int(not record.open), counted=None if record.open else record.at)


def fold_gates(gates: dict[str, GateStatus], record: Record, last_at: datetime | None) -> None:
    """Fold a record into the gates.

    Args:
        gates: those that have been answered, by name.
        record: any of the run.
        last_at: of the record before: when the session before ended, whether it said so or not.
    """
    match record:
        case GateAnswered():
            known = gates.get(record.gate)
            gates[record.gate] = first(record) if known is None else known.answered(record)
        case SessionStarted() | HoldReleased():
            gates.update(_moved(gates, record, last_at or record.at))
        case _:
            pass


def _moved(
    gates: dict[str, GateStatus], record: SessionStarted | HoldReleased, last_at: datetime
) -> Iterator[tuple[str, GateStatus]]:
    for name, status in gates.items():
        if status.latest.open:
            continue
        match record:
            case SessionStarted():
                yield name, status.paused(last_at)
            case HoldReleased():
                yield name, status.released(record.at)
