"""Read the body of an error answer, whoever in front of the service wrote it: JSON in several shapes, HTML, nothing.

The shapes are those that huaweicloudsdkcore's exception_handler and golangsdk know, and IAM v3's. Never raises.
"""

import re
from typing import Any

import msgspec
from msgspec import Struct

#: Longest error text that is kept; beyond it a page, not a message.
_MAX_TEXT = 4096
_MAX_EXCERPT = 160

_CODES = ("error_code", "errCode", "errorCode", "code")
_TEXTS = ("error_msg", "errMsg", "errorMsg", "error_message", "message", "msg", "description")


class ErrorBody(Struct, frozen=True, kw_only=True):
    """What an error answer says of itself.

    Attributes:
        message: the cloud's words, whole.
        excerpt: the beginning of a body that is not JSON, printable and on one line; empty for JSON and for nothing.
    """

    code: str | None = None
    message: str | None = None
    request_id: str | None = None
    excerpt: str = ""


def read_error(body: bytes) -> ErrorBody:
    """Code, message and request id, at the top level or one below it."""
    try:
        data: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ErrorBody(excerpt=excerpt(body.decode("utf-8", "replace")))
    for level in _levels(data):
        code, message = _first(level, _CODES), _first(level, _TEXTS)
        if code or message:
            request_id = _first(level, ("request_id",)) or _first(data, ("request_id",))
            return ErrorBody(code=code, message=message, request_id=request_id)
    return ErrorBody(excerpt="" if isinstance(data, dict) else excerpt(str(data)))


def excerpt(text: str) -> str:
    """A short piece of `text` without markup, line breaks or control characters, for a person to recognise it by."""
    plain = re.sub(r"(?s)<(script|style)\b.*?</\1\s*>|<[^>]*>", " ", text[: 16 * _MAX_TEXT])
    words = " ".join("".join(c if c.isprintable() else " " for c in plain).split())
    return words if len(words) <= _MAX_EXCERPT else words[: _MAX_EXCERPT - 1] + "…"


def _levels(data: Any) -> list[dict[str, Any]]:
    if not isinstance(data, dict):
        return []
    return [data, *(value for value in data.values() if isinstance(value, dict))]


def _first(level: dict[str, Any], keys: tuple[str, ...]) -> str | None:
    for key in keys:
        value = level.get(key)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()[:_MAX_TEXT]
    return None
