"""What stands in a row: the JSON of a record, frozen target or command, and its checksum, as in a line of the files."""

from collections.abc import Iterator
from typing import TypeVar
from zlib import crc32

import msgspec

from orchestrator.errors import JournalDamaged
from orchestrator.model.record.record import JOURNAL_VERSION, Record, RunStarted
from orchestrator.model.reply.foreign import Unreadable, read_json
from orchestrator.model.written.writable import encoded
from orchestrator.tracker.journal.peek import all_workflows, stray_workflows

T = TypeVar("T")

_HINT = (
    "this is not what was written: put back a copy of the database, or, when nothing of this fleet is under way, "
    "export what is there and begin a new run with --new"
)


class LogRow(msgspec.Struct, frozen=True):
    """A record as its row holds it.

    Attributes:
        workflows: each workflow_id in it, and whether it belongs to another question.
    """

    target: str | None
    attempt: int | None
    record: str
    body: bytes
    crc: int
    workflows: tuple[tuple[str, bool], ...] = ()


def row_of(record: Record) -> LogRow:
    """The row of a record."""
    body = encoded(record)
    return LogRow(
        target=record.target,
        attempt=getattr(record, "attempt", None),
        record=str(record.__struct_config__.tag),
        body=body,
        crc=crc32(body),
        workflows=tuple(_workflows(body)),
    )


def _workflows(body: bytes) -> Iterator[tuple[str, bool]]:
    strays = stray_workflows(body)
    for named in all_workflows(body):
        yield named.decode(), named in strays


def content(decoder: msgspec.json.Decoder[T], place: str, body: object, crc: object) -> T:
    """What a row holds.

    Raises:
        JournalDamaged: it is not what was written.
    """
    if not isinstance(body, bytes) or crc32(body) != crc:
        raise damaged(place, "the checksum does not match")
    try:
        return read_json(body, decoder.decode, most_values=float("inf"))
    except Unreadable as error:
        raise damaged(place, f"unknown content: {error}") from error


def expect_known(place: str, record: Record) -> None:
    """The start of a run is not of a newer version.

    Raises:
        JournalDamaged: it is.
    """
    if isinstance(record, RunStarted) and record.journal > JOURNAL_VERSION:
        raise damaged(place, f"written by a newer version (journal {record.journal})")


def damaged(place: str, what: str) -> JournalDamaged:
    """The error about one row."""
    return JournalDamaged(f"{place}: {what}", hint=_HINT)
