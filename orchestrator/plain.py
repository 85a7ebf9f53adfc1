"""Text that others wrote, made fit for a terminal and for one line: what the cloud says must not move the cursor."""

#: Controls, marks that turn the direction of what follows, what no font has, ends of lines.
_UNSHOWN = frozenset({"Cc", "Cf", "Co", "Cn", "Zl", "Zp"})


def plain(line: str) -> str:
    """The line with all that is no character to be read, and bytes that are not UTF-8, written out as escapes."""
    if line.isprintable():
        return line
    from unicodedata import category  # noqa: PLC0415  # hardly ever needed

    from orchestrator.host import UNWRITABLE  # noqa: PLC0415  # as above

    shown = line.translate(UNWRITABLE)
    return "".join(repr(char)[1:-1] if category(char) in _UNSHOWN else char for char in shown)


def plain_json(text: str) -> str:
    """JSON that means the same, with such characters as its own escapes; only strings hold them."""
    if text.isprintable():
        return text
    import json  # noqa: PLC0415  # hardly ever needed

    return "".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text)
