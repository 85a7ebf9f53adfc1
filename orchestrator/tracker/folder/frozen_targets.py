"""The targets of a run in plan order, frozen when it began: lines of the journal's form, and checksums of whole blocks.

A block whose checksum is right is what was written, so none of its lines is looked at by itself. The checksums may be
gone or damaged, and runs of earlier versions have none: the lines tell the same, only slower, and say where they are
damaged.
"""

from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated
from zlib import crc32

import msgspec
from msgspec import Meta, Struct

from orchestrator.errors import StateError
from orchestrator.model.plan.target import Target
from orchestrator.tracker.disk import guard, open_to_read, write_file
from orchestrator.tracker.folder.paths import TARGET_SUMS, TARGETS
from orchestrator.tracker.journal.decoder import Decoder
from orchestrator.tracker.journal.line import decode_line, encode_lines, find_lines, read_lines

#: Targets of a block.
_TOGETHER = 1000
#: What decoding raises that is not what was written.
_UNFIT = (msgspec.MsgspecError, UnicodeDecodeError, OverflowError, RecursionError)


class _Block(Struct, frozen=True, kw_only=True):
    """So many bytes of whole lines, and their CRC-32."""

    size: Annotated[int, Meta(gt=0)]
    checksum: int


_target_decoder: Decoder[Target] = Decoder(Target)
_block_decoder: Decoder[_Block] = Decoder(_Block)


def write_frozen_targets(run: Path, targets: Iterable[Target]) -> None:
    """Write the targets of a run that is being made: read once, in plan order, and never held together.

    Raises:
        StateError: they cannot be written.
    """
    sums: list[_Block] = []
    write_file(run / TARGETS, _blocks(targets, sums))
    write_file(run / TARGET_SUMS, [encode_lines(sums, 1)])


def load_frozen_targets(run: Path) -> Iterator[Target]:
    """The targets of a run in plan order, read as they are asked for.

    Raises:
        JournalDamaged: they are not what was written.
        StateError: they cannot be read.
    """
    path, start, number = run / TARGETS, 0, 0
    with guard(path, "read"), open_to_read(path) as file:
        for told in _told_blocks(run / TARGET_SUMS):
            targets = _as_written(file.read(told.size), told)
            if targets is None:
                break
            start, number = start + told.size, number + len(targets)
            yield from targets
    for line in read_lines(path, start=start, after=number):
        yield decode_line(_target_decoder, path, line)


def find_frozen_targets(run: Path, proxy_ids: Collection[str]) -> tuple[list[Target], int]:
    """The targets of a run with these ids, in plan order, and how many it has in all; the others are only counted.

    Raises:
        JournalDamaged: what is read of them is not what was written.
        StateError: they cannot be read.
    """
    path, found, number = run / TARGETS, list[Target](), 0
    for line in find_lines(path, [msgspec.json.encode(proxy_id) for proxy_id in proxy_ids]):
        found.append(decode_line(_target_decoder, path, line))
        number = line.number
    return [target for target in found if target.proxy_id in proxy_ids], number


def _blocks(targets: Iterable[Target], sums: list[_Block]) -> Iterator[bytes]:
    """The lines of the targets, some at a time; the checksum of each block is added to `sums`."""
    rest, first = iter(targets), 1
    while chunk := list(islice(rest, _TOGETHER)):
        block = encode_lines(chunk, first)
        sums.append(_Block(size=len(block), checksum=crc32(block)))
        first += len(chunk)
        yield block


def _told_blocks(path: Path) -> Iterator[_Block]:
    """The blocks as their checksums tell them, up to what cannot be read of these."""
    try:
        if path.exists():
            for line in read_lines(path):
                yield decode_line(_block_decoder, path, line)
    except (StateError, OSError):  # they only save time, see above
        return


def _as_written(block: bytes, told: _Block) -> list[Target] | None:
    """The targets of a block; None when it is not the one that is told of."""
    if len(block) != told.size or crc32(block) != told.checksum:
        return None
    try:
        return _target_decoder.decode_lines(block)
    except _UNFIT:  # the line that is none says so by itself
        return None
