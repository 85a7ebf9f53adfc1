"""The picture in README: small, and what makes it so changes nothing that can be seen."""

import struct
import zlib

from fakes.documents import ROOT
from picture.palette import with_palette

KINDS = range(5)


def png(rows: list[tuple[int, bytes]], width: int) -> bytes:
    """Rows with their filters as a PNG of red, green and blue, its data in two chunks."""
    data = zlib.compress(b"".join(bytes([kind]) + row for kind, row in rows))
    head = struct.pack(">IIBBBBB", width, len(rows), 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", data[:9]), (b"IDAT", data[9:]), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in parts
    )


def test_the_picture_in_the_readme_is_small() -> None:
    assert "(docs/pictures/report.png)" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert (ROOT / "docs" / "pictures" / "report.png").stat().st_size < 150_000


def test_every_filter_of_a_row_is_undone() -> None:
    first = (0, bytes((255, 255, 255, 0, 0, 0)))
    unchanged = [(2, bytes(6)), (1, bytes((255, 255, 255, 1, 1, 1))), (4, bytes(6)), (3, bytes((128, 128, 128)) * 2)]
    found = with_palette(png([first, *unchanged], 2))
    at = found.index(b"IDAT") + 4
    rows = zlib.decompress(found[at:])
    assert found[found.index(b"PLTE") + 4 :][:3] in (b"\xff\xff\xff", b"\0\0\0")
    assert [rows[row * 3 : row * 3 + 3] for row in range(4)] == [b"\0\0\1"] * 4
