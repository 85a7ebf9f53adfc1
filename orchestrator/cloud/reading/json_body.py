"""Read the JSON of an answer whose characters may be damaged. Pure.

One byte that is no UTF-8 in a message must not cost the workflow_id beside it, nor turn a REJECT into a doubt. So what
no decoder takes is repaired, and all the rest counts as it stands; an id that was repaired itself is no id.
"""

import codecs
import json
import re
from typing import Any

import msgspec

from orchestrator.model.reply.foreign import STRINGS, Unreadable, read_json
from orchestrator.model.reply.reply import DAMAGED
from orchestrator.pattern import pattern

#: Character sets of answers that are not written in UTF-8, as RFC 8259 asks; a program on the way may be old.
_CHARSETS = frozenset(
    [
        *("gbk", "gb2312", "gb18030", "big5", "shift_jis", "euc-kr", "euc-jp"),
        *("iso-8859-1", "latin-1", "iso-8859-15", "windows-1252", "us-ascii", "utf-16", "utf-16le", "utf-16be"),
    ]
)

#: Byte order marks; those of UTF-32 begin like that of UTF-16, or with zeros.
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)

#: A pair of escapes for one character, half of such a pair, any other escape, a backslash that begins none, a
#: character that must be escaped.
_ESCAPES = pattern(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|\\(?:[\"\\/bfnrt]|u[0-9a-fA-F]{4})|(?P<none>\\)|(?P<raw>[\x00-\x1f])"
)

_parse = msgspec.json.Decoder().decode


def in_utf8(body: bytes, charset: str | None) -> bytes:
    """A body as it would be in UTF-8, when it is in another character set that the answer names.

    A header that names the wrong one must not cost the id in a body that is UTF-8, so that is tried first.
    """
    if charset is None or charset.lower() not in _CHARSETS:
        return body
    try:
        body.decode()
    except UnicodeDecodeError:
        return body.decode(charset, "replace").encode()
    return body


def read_body(body: bytes) -> Any:
    """What the JSON of an answer holds, damaged characters as U+FFFD.

    Raises:
        Unreadable: it is not JSON, nested too deep, or holds too many values.
    """
    try:
        return read_json(body, _parse)
    except Unreadable:
        repaired = _repaired(body)
        if repaired == body:
            raise
    return read_json(repaired, _parse)


def as_text(body: bytes) -> str:
    """A body decoded, also one that is no JSON; its first bytes tell the encoding."""
    begins = body.startswith(_MARKS) or body.lstrip(b"\0")[:1] in (b"{", b"[")
    return body.decode(json.detect_encoding(body) if begins else "utf-8", "replace")


def _repaired(body: bytes) -> bytes:
    """The same with nothing in it that is no character, and no character in a text that must be escaped."""
    return STRINGS.sub(lambda found: _ESCAPES.sub(_escape, found[0]), as_text(body).encode())


def _escape(found: re.Match[bytes]) -> bytes:
    if found["half"] or found["none"]:
        return DAMAGED.encode()
    return b"\\u%04x" % ord(found["raw"]) if found["raw"] else found[0]
