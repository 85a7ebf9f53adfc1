"""What is still to be told, and how far the journal was read for it: kept with the fleet, so that nothing is lost.

A notice is in the box from the moment it is made until each receiver that should know of it was told. What a crash has
kept from the box is in the journal, from the record on at which reading it ended.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from msgspec import Struct, field

from orchestrator.app.notify.notice import Notice
from orchestrator.model.reply.foreign import Unreadable, read_json

#: What nobody could be told of for so long helps nobody any more.
STALE = timedelta(days=7)


class Parcel(Struct, frozen=True):
    """A notice, and the names of those who were not told of it yet."""

    notice: Notice
    to: tuple[str, ...]


class Box(Struct, kw_only=True):
    """All parcels of a fleet.

    Attributes:
        run_id: of the run whose records have been read.
        through: number of the last of them.
        seen: ids of the notices of this run that were made since.
    """

    schema: Literal["orchestrator.notices/1"] = "orchestrator.notices/1"
    run_id: str
    through: int
    seen: list[str] = field(default_factory=list)
    parcels: list[Parcel] = field(default_factory=list)

    def put(self, notice: Notice, to: Iterable[str]) -> None:
        """A notice was made; the same one is put in once, for all who should know of it."""
        if notice.id in self.seen:
            return
        self.seen.append(notice.id)
        if names := tuple(to):
            self.parcels.append(Parcel(notice, names))

    def next_for(self, name: str) -> Notice | None:
        """The oldest notice of which a receiver was not told."""
        return next((each.notice for each in self.parcels if name in each.to), None)

    def told(self, notice: Notice, name: str) -> None:
        """A receiver was told."""
        left = (
            Parcel(each.notice, tuple(to for to in each.to if to != name)) if each.notice.id == notice.id else each
            for each in self.parcels
        )
        self.parcels = [each for each in left if each.to]

    def read_on(self, run_id: str, through: int, seen: Iterable[str]) -> None:
        """The journal has been read up to here; `seen`: ids of what later records may say once more."""
        self.run_id, self.through, self.seen = run_id, through, list(seen)

    def clear_out(self, names: Iterable[str], now: datetime) -> None:
        """Drop what is stale, and what is for receivers that the plan does not have any more."""
        known = set(names)
        left = (Parcel(each.notice, tuple(to for to in each.to if to in known)) for each in self.parcels)
        self.parcels = [each for each in left if each.to and now - each.notice.at < STALE]

    def encode(self) -> bytes:
        """As it is kept."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n"


_decoder = msgspec.json.Decoder(Box)


def read_box(content: bytes | None) -> Box | None:
    """The box as it was kept; None when there is none, or it cannot be read: then only what comes now is told."""
    if content is None:
        return None
    try:
        return read_json(content, _decoder.decode)
    except Unreadable:
        return None
