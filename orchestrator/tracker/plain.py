"""Text that others wrote, made fit for a terminal and for one line: what the cloud says must not move the cursor."""

from orchestrator.host import UNWRITABLE

_UNFIT = UNWRITABLE | {code: repr(chr(code))[1:-1] for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)}


def plain(line: str) -> str:
    """The line with its control characters, and bytes that are not UTF-8, written out as escapes."""
    return line if line.isprintable() else line.translate(_UNFIT)
