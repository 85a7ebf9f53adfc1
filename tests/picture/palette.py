"""A PNG with few colors: a page is mostly text, and shrinks to a third."""

import struct
import zlib
from collections import Counter
from collections.abc import Iterator

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MOST = 256
#: Channels are rounded to 16 levels, white among them.
_ROUNDED = bytes(round(value / 17) * 17 for value in range(256))


def with_palette(png: bytes) -> bytes:
    """The same picture with at most 256 colors; `png`: 8 bits each of red, green and blue, not interlaced."""
    chunks = dict(_chunks(png))
    width, height, *kind = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert kind == [8, 2, 0, 0, 0], "another kind of PNG"
    rows = [bytes(row).translate(_ROUNDED) for row in _rows(zlib.decompress(chunks[b"IDAT"]), width * 3)]
    pixels = [[row[at : at + 3] for at in range(0, len(row), 3)] for row in rows]
    colors = [color for color, _ in Counter(pixel for row in pixels for pixel in row).most_common()]
    place = {color: number for number, color in enumerate(colors[:_MOST])}
    place |= {color: place[_nearest(color, colors[:_MOST])] for color in colors[_MOST:]}
    drawn = b"".join(b"\0" + bytes(map(place.__getitem__, row)) for row in pixels)
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = ((b"IHDR", head), (b"PLTE", b"".join(colors[:_MOST])), (b"IDAT", zlib.compress(drawn, 9)), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(name, content) for name, content in parts)


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks by name; those of data are joined."""
    at, data = len(_SIGNATURE), b""
    while at < len(png):
        length, name = struct.unpack_from(">I4s", png, at)
        content = png[at + 8 : at + 8 + length]
        data += content if name == b"IDAT" else b""
        yield name, data if name == b"IDAT" else content
        at += 12 + length


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _rows(data: bytes, length: int) -> Iterator[bytearray]:
    """The rows without their filters, as the PNG specification has them (9.2)."""
    before = bytearray(length)
    for at in range(0, len(data), length + 1):
        kind, row = data[at], bytearray(data[at + 1 : at + 1 + length])
        for place in range(length):
            left, corner = (row[place - 3], before[place - 3]) if place > 2 else (0, 0)
            row[place] = row[place] + _predicted(kind, left, before[place], corner) & 255
        yield row
        before = row


def _predicted(kind: int, left: int, up: int, corner: int) -> int:
    if kind == 4:
        return min((left, up, corner), key=lambda each: abs(left + up - corner - each))
    return (0, left, up, (left + up) // 2)[kind]


def _nearest(color: bytes, known: list[bytes]) -> bytes:
    return min(known, key=lambda each: sum((one - other) ** 2 for one, other in zip(color, each, strict=True)))
