"""The file of a checkpoint: lines of the journal's form. The first says of which part of the journal it tells.

It may be gone, torn or damaged at any time: the journal tells the same, only slower.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from zlib import crc32

from msgspec import Struct

from orchestrator.errors import StateError
from orchestrator.spoken import counted
from orchestrator.tracker.disk import guard, open_to_read, replace_file, sync_file
from orchestrator.tracker.folder.paths import CHECKPOINT, JOURNAL
from orchestrator.tracker.journal.decoder import Decoder
from orchestrator.tracker.journal.file import decode_record
from orchestrator.tracker.journal.line import decode_line, encode_lines, read_lines
from orchestrator.tracker.recalled import Recalled

_BLOCK = 1 << 20


class _Told(Struct, frozen=True, kw_only=True):
    """The part of the journal that a checkpoint tells of: its last line, where that ends, the CRC-32 of all before."""

    last: int
    size: int
    checksum: int


_told_decoder: Decoder[_Told] = Decoder(_Told)


def keep_parts(run: Path, seq: int, parts: Iterable[Struct]) -> None:
    """Keep what the first `seq` lines of a run's journal have come to, once these lines are on disk.

    Raises:
        StateError: it cannot be kept, or there are not so many lines.
    """
    sync_file(run / JOURNAL)  # a line that another thread has only written may still be lost
    told = _told(run / JOURNAL, seq)
    lines = (encode_lines([part], number) for number, part in enumerate(chain([told], parts), 1))
    replace_file(run / CHECKPOINT, lines)


def kept_parts(run: Path) -> Recalled | None:
    """What is kept, when the journal still begins with what it was made of.

    Raises:
        JournalDamaged: its first line is damaged.
        StateError: it, or the journal, cannot be read.
    """
    path, journal = run / CHECKPOINT, run / JOURNAL
    if not path.exists():
        return None
    lines = read_lines(path)
    first = next(lines, None)
    told = None if first is None else decode_line(_told_decoder, path, first)
    if told is None or _checksum(journal, told.size) != told.checksum:
        return None
    behind = read_lines(journal, start=told.size, after=told.last)
    records = ((line.number, decode_record(journal, line)) for line in behind)
    return Recalled(told.last, (line.content for line in lines), records)


def _told(journal: Path, seq: int) -> _Told:
    """The first `seq` lines of a journal, whose end is found by counting."""
    left, size, checksum = seq, 0, 0
    for block in _blocks(journal):
        count = block.count(b"\n")
        part = block if count < left else _first_lines(block, left)
        left, size, checksum = left - min(count, left), size + len(part), crc32(part, checksum)
        if not left:
            return _Told(last=seq, size=size, checksum=checksum)
    raise StateError(f"{journal}: has {counted(left, 'line')} less than were read")


def _first_lines(block: bytes, count: int) -> bytes:
    end = 0
    for _ in range(count):
        end = block.index(b"\n", end) + 1
    return block[:end]


def _checksum(journal: Path, size: int) -> int | None:
    """Of so many bytes; None when there are not so many."""
    checksum = 0
    for block in _blocks(journal):
        part = block[:size]
        checksum, size = crc32(part, checksum), size - len(part)
        if not size:
            return checksum
    return None


def _blocks(path: Path) -> Iterator[bytes]:
    with guard(path, "read"), open_to_read(path) as file:
        while block := file.read(_BLOCK):
            yield block
