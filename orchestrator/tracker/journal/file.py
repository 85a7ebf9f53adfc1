"""The journal of a run: append-only lines on disk, written before what they announce happens. Synchronous.

It never rewrites a byte, and never goes on after a failure: when a write or an fsync failed, what is on disk is not
known, and after a failed fsync the kernel may drop the very pages that it could not write (so a second fsync that
succeeds proves nothing). The journal is dead then, and the next session finds out what is there.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from math import inf
from pathlib import Path
from typing import Self

import msgspec

from orchestrator.errors import JournalDamaged, StateError
from orchestrator.model.record.record import JOURNAL_VERSION, Record
from orchestrator.tracker.disk import guard, open_private, state_error, sync_folder, write_all
from orchestrator.tracker.journal.decoder import Decoder
from orchestrator.tracker.journal.line import DAMAGED_HINT, Line, decode_line, encode_lines, read_lines
from orchestrator.tracker.open_journal import WHOLE, Added

_decoder: Decoder[Record] = Decoder(Record)
_TAIL_BLOCK = 1 << 16


class _Head(msgspec.Struct):
    """As much of the first line as every version of the journal has."""

    record: str
    journal: int = JOURNAL_VERSION


_head_decoder: Decoder[_Head] = Decoder(_Head)


class Journal:
    """An open journal. One thread at a time may use it.

    Args:
        handle: of the file, opened for appending.
        path: of the file.
        next_seq: number of the next line.
        write: puts all bytes into the file.
        sync: brings the file to disk.
    """

    def __init__(
        self,
        handle: int,
        path: Path,
        next_seq: int,
        *,
        write: Callable[[int, bytes], None] = write_all,
        sync: Callable[[int], None] = os.fsync,
    ) -> None:
        self.path = path
        self.next_seq = next_seq
        self._handle = handle
        self._write = write
        self._sync = sync
        self._size = os.fstat(handle).st_size
        self._dead: StateError | None = None

    def __str__(self) -> str:
        return str(self.path)

    @classmethod
    def create(cls, path: Path) -> Self:
        """A new, empty journal, whose name is on disk.

        Raises:
            StateError: it cannot be made, or is there already.
        """
        with guard(path, "make the journal"):
            handle = open_private(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND)
            try:
                os.fsync(handle)
                sync_folder(path.parent)
            except OSError:
                os.close(handle)
                raise
        return cls(handle, path, 1)

    @classmethod
    def resume(cls, path: Path, next_seq: int) -> Self:
        """A journal that was read before, to be appended to; a torn last line is cut off.

        Args:
            path: of the file.
            next_seq: one more than the number of the last line that was read.

        Raises:
            StateError: it cannot be opened, or has changed since it was read.
        """
        with guard(path, "open the journal"):
            handle = open_private(path, os.O_RDWR | os.O_APPEND)
            try:
                _cut_torn_line(handle)
                _expect_last(handle, path, next_seq - 1)
            except BaseException:
                os.close(handle)
                raise
        return cls(handle, path, next_seq)

    #: Nobody else writes into a file.
    looks_every_s: float | None = None
    waits = False
    #: However slow the disk is: a process that stands still keeps the fleet's lock.
    send_within_s = inf

    def news(self) -> Sequence[Record]:
        """Nothing, for that reason."""
        return ()

    def append(self, records: Sequence[Record]) -> Added:
        """Return when all these records are on disk: one write, one fsync.

        Raises:
            StateError: they are not, or it is not known whether they are; the same again for every later append.
        """
        if self._dead is not None:
            raise self._dead
        lines = encode_lines(records, self.next_seq)
        try:
            self._write(self._handle, lines)
            self._size += len(lines)
            self._sync(self._handle)
            self.expect_whole()
        except OSError as error:
            self._dead = state_error(error, self.path, "write to the journal")
            raise self._dead from error
        self.next_seq += len(records)
        return WHOLE

    def expect_whole(self) -> None:
        """Nobody else has cut the file, added to it or put another in its place.

        Raises:
            StateError: it is not as it was written; the same again for every later append.
        """
        try:
            with guard(self.path, "write to the journal"):
                self._expect_in_place()
                size = os.fstat(self._handle).st_size
            if size != self._size:
                raise _changed(self.path, size, self._size)
        except StateError as error:
            self._dead = error
            raise

    def close(self) -> None:
        """Let go of the file. Everything that `append` returned for is on disk already."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _expect_in_place(self) -> None:
        # A file that was deleted or moved away takes writes as ever, and the next session would not find them.
        there, ours = self.path.stat(), os.fstat(self._handle)
        if (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino):
            raise FileNotFoundError(2, "another file has taken its place")


def read_journal(path: Path, after: int = 0) -> Iterator[tuple[int, Record]]:
    """Every record with its number, read as they are asked for. A torn last line is left out.

    Args:
        path: of the file.
        after: records up to this number are checked, and left out.

    Raises:
        JournalDamaged: a line is not what was written.
        StateError: the file cannot be read, or was written by a newer version.
    """
    for line in read_lines(path):
        if line.number == 1 and after:
            _expect_known_version(path, line)
        if line.number > after:
            yield line.number, decode_record(path, line)


def decode_record(path: Path, line: Line) -> Record:
    """The record of a line, which must not be of a journal of a newer version.

    Raises:
        JournalDamaged: something that nobody here writes.
        StateError: it is the first line, and says that a newer version wrote the file.
    """
    if line.number == 1:
        _expect_known_version(path, line)
    return decode_line(_decoder, path, line)


def _expect_known_version(path: Path, line: Line) -> None:
    head = decode_line(_head_decoder, path, line)
    if head.journal > JOURNAL_VERSION:
        raise StateError(
            f"{path}: written by a newer version (journal {head.journal}, this version knows {JOURNAL_VERSION})",
            hint="use at least the version of orchestrator that began this run",
        )


def _changed(path: Path, size: int, written: int) -> JournalDamaged:
    return JournalDamaged(
        f"{path}: {size} bytes are there of {written} that were written: something else has changed the file",
        hint=DAMAGED_HINT,
    )


def _cut_torn_line(handle: int) -> None:
    size = os.fstat(handle).st_size
    whole = _end_of_last_line(handle, size)
    if whole < size:
        os.ftruncate(handle, whole)
        os.fsync(handle)


def _end_of_last_line(handle: int, before: int) -> int:
    """Offset after the last newline in the first `before` bytes; 0 when there is none."""
    while before > 0:
        start = max(0, before - _TAIL_BLOCK)
        found = os.pread(handle, before - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        before = start
    return 0


def _expect_last(handle: int, path: Path, number: int) -> None:
    end = os.fstat(handle).st_size
    start = _end_of_last_line(handle, max(0, end - 1))
    begins = b'{"seq":%d,' % number
    if (number > 0 and os.pread(handle, len(begins), start) != begins) or (number == 0 and end):
        raise JournalDamaged(
            f"{path}: line {number} was the last one when it was read, and is no more",
            hint="only one process may write here, and only orchestrator: start again when nothing else does",
        )
