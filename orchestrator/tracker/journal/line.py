"""The form of a line on disk, the only place that knows it: `{"seq":N,<fields>,"crc":"xxxxxxxx"}` and a newline.

The fields are msgspec's encoding of a record, and `unwritable` where some could not be written as they are. `seq`
counts from 1 without a gap, `crc` is the CRC-32 of every byte of the line before `,"crc"`, as eight hexadecimal digits.
A last line without its newline is torn: the process died while it wrote it, nothing it announced has happened, and
readers drop it. Anything else that is not what was written is damage, reported with file, line and byte offset.
"""

from collections.abc import Iterable, Iterator
from math import inf
from pathlib import Path
from typing import TypeVar
from zlib import crc32

import msgspec

from orchestrator.errors import JournalDamaged
from orchestrator.model.reply.foreign import Unreadable, read_json
from orchestrator.model.written.writable import encoded
from orchestrator.tracker.disk import guard, open_to_read
from orchestrator.tracker.journal.decoder import Decoder

T = TypeVar("T")

#: Bytes of `,"crc":"xxxxxxxx"}` and the newline.
_TAIL = 19
_BLOCK = 1 << 20
DAMAGED_HINT = (
    "this is not what was written: put back a copy of the file, or, when nothing of this fleet is under way, "
    "move the run's folder aside and begin a new run with --new"
)


def encode_lines(values: Iterable[msgspec.Struct], first: int) -> bytes:
    """The lines of some records, numbered from `first`. One that cannot be written whole keeps none from the others."""
    return b"".join([_line(number, value) for number, value in enumerate(values, first)])


def _line(number: int, value: msgspec.Struct) -> bytes:
    head = b'{"seq":%d,%b' % (number, encoded(value)[1:-1])
    return b'%b,"crc":"%08x"}\n' % (head, crc32(head))


class Line(msgspec.Struct, frozen=True, gc=False):
    """One whole line whose number and checksum are right; `start` is its byte offset in the file."""

    number: int
    start: int
    content: bytes

    @property
    def end(self) -> int:
        """Byte offset of what follows."""
        return self.start + len(self.content)


def read_lines(path: Path, *, start: int = 0, after: int = 0, mark: bytes = b"") -> Iterator[Line]:
    """The lines of a file in order, read as they are asked for; a torn last line is left out.

    Args:
        path: the file.
        start: byte offset at which to begin, the end of a line read before.
        after: number of the line that ends there.
        mark: only the lines in which it stands, and the last one; all are checked.

    Raises:
        JournalDamaged: a line is not what was written, or does not follow the one before.
        StateError: the file cannot be read.
    """
    number, passed = after, None
    with guard(path, "read"), open_to_read(path, _BLOCK) as file:
        file.seek(start)
        for content in file:
            if content[-1:] != b"\n":
                break
            number += 1
            expect_written(path, number, start, content)
            if mark in content:
                passed = None
                yield Line(number, start, content)
            else:
                passed = number, start, content
            start += len(content)
    if passed is not None:
        yield Line(*passed)


def expect_written(path: Path, number: int, start: int, content: bytes) -> None:
    """A line's checksum is right, and its number is its place in the file; see `Line`.

    Raises:
        JournalDamaged: one of them is not.
    """
    head = content[:-_TAIL]
    if content[-_TAIL:] != b',"crc":"%08x"}\n' % crc32(head):
        raise damaged(path, number, start, "the checksum does not match")
    if not head.startswith(b'{"seq":%d,' % number):
        raise damaged(path, number, start, f"a line is missing or there twice: its number is not {number}")


def decode_line(decoder: Decoder[T], path: Path, line: Line) -> T:
    """What one line holds.

    Raises:
        JournalDamaged: something that nobody here writes.
    """
    try:
        return read_json(line.content, decoder.decode, most_values=inf)  # a frozen plan holds every proxy it names
    except Unreadable as error:
        raise damaged(path, line.number, line.start, f"unknown content: {error}") from error


def damaged(path: Path, number: int, start: int, what: str) -> JournalDamaged:
    """The error about one line."""
    return JournalDamaged(f"{path}:{number}: {what} (byte {start})", hint=DAMAGED_HINT)
