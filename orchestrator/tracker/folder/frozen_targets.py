"""The targets of a run in plan order, frozen when it began: lines of the journal's form, and checksums of whole blocks.

A block whose checksum is right is what was written, so none of its lines is looked at by itself. Beside the checksums
stands the order in which waves draw the targets, which takes longer to work out than to read. They may be gone or
damaged, and runs of earlier versions have none: the lines tell the same, only slower, and say where they are damaged.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated
from zlib import crc32

import msgspec
from msgspec import Meta, Struct

from orchestrator.errors import StateError
from orchestrator.model.plan.order import by_keys, order_key
from orchestrator.model.plan.target import Target
from orchestrator.tracker.disk import guard, open_to_read, write_file
from orchestrator.tracker.folder.paths import TARGET_SUMS, TARGETS
from orchestrator.tracker.journal.decoder import Decoder
from orchestrator.tracker.journal.line import decode_line, encode_lines, read_lines
from orchestrator.tracker.journal.search import find_lines

#: Targets of a block.
_TOGETHER = 1000
#: What decoding raises that is not what was written.
_UNFIT = (msgspec.MsgspecError, UnicodeDecodeError, OverflowError, RecursionError)


class _Block(Struct, frozen=True, kw_only=True):
    """So many bytes of whole lines, and their CRC-32; and whom waves of the fleet draw next, in as many places."""

    size: Annotated[int, Meta(gt=0)]
    checksum: int
    fleet: str = ""
    drawn: Sequence[int] = ()

    def tells_of(self, block: bytes) -> bool:
        """Whether these are the bytes."""
        return len(block) == self.size and crc32(block) == self.checksum


_target_decoder: Decoder[Target] = Decoder(Target)
_block_decoder: Decoder[_Block] = Decoder(_Block)


def write_frozen_targets(run: Path, fleet: str, targets: Iterable[Target]) -> None:
    """Write the targets of a run that is being made: read once, in plan order, and never held together.

    Raises:
        StateError: they cannot be written.
    """
    sums, keys = list[tuple[int, int]](), list[bytes]()
    write_file(run / TARGETS, _blocks(fleet, targets, sums, keys))
    order = by_keys(keys)
    blocks = [
        _Block(size=size, checksum=checksum, fleet=fleet, drawn=order[at : at + _TOGETHER])
        for at, (size, checksum) in zip(range(0, len(order), _TOGETHER), sums, strict=True)
    ]
    write_file(run / TARGET_SUMS, [encode_lines(blocks, 1)])


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


def load_draw_order(run: Path, fleet: str) -> Sequence[int] | None:
    """In which order waves of a fleet draw the targets, see `draw_order`; None where that is not kept for just these.

    Raises:
        StateError: the targets cannot be read.
    """
    path, order = run / TARGETS, list[int]()
    with guard(path, "read"), open_to_read(path) as file:
        for told in _told_blocks(run / TARGET_SUMS):
            if told.fleet != fleet or not told.tells_of(file.read(told.size)):
                return None
            order += told.drawn
        whole = not file.read(1)
    return order if whole and _has_each_once(order) else None


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


def _blocks(fleet: str, targets: Iterable[Target], sums: list[tuple[int, int]], keys: list[bytes]) -> Iterator[bytes]:
    """The lines of the targets, some at a time; size and checksum of each block, and each target's key, are added."""
    rest = iter(targets)
    while chunk := list(islice(rest, _TOGETHER)):
        block = encode_lines(chunk, len(keys) + 1)
        sums.append((len(block), crc32(block)))
        keys += [order_key(fleet, target.proxy_id) for target in chunk]
        yield block


def _has_each_once(order: Sequence[int]) -> bool:
    """Whether it has each place once: else a target would be drawn twice, or never."""
    return len(set(order)) == len(order) and min(order, default=0) == 0 and max(order, default=-1) == len(order) - 1


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
    if not told.tells_of(block):
        return None
    try:
        return _target_decoder.decode_lines(block)
    except _UNFIT:  # the line that is none says so by itself
        return None
