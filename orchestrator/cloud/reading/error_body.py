"""Read the body of an error answer, from the service or anything in front of it: JSON in several shapes, HTML, nothing.

The shapes are those that huaweicloudsdkcore's exception_handler and golangsdk know, and IAM v3's. Never raises.
"""

import re
from typing import Any

from msgspec import Struct

from orchestrator.cloud.reading.json_body import as_text, read_body
from orchestrator.cloud.reading.lenient import text
from orchestrator.model.reply.foreign import Unreadable
from orchestrator.pattern import pattern

_MAX_EXCERPT = 160

#: So many bytes of a page are searched for words, and so many characters of these for what cannot be printed: a cloud
#: may answer every call with a page, and all calls share one processor.
_MAX_PAGE = 1 << 14
_MAX_WORDS = 8 * _MAX_EXCERPT

#: Scripts, styles and tags. What begins one is always part of a match, also when its end is missing: a search that
#: starts again behind each of many `<` would take the square of the length.
_MARKUP = pattern(r"<(script|style)\b.*?(?:</\1\b[^>]*+>?|\Z)|<[a-z/!?][^>]*+>?", re.DOTALL | re.IGNORECASE)

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
        data: Any = read_body(body)
    except Unreadable:
        return ErrorBody(excerpt=excerpt(body))
    for level in _levels(data):
        code, message = _first(level, _CODES), _first(level, _TEXTS)
        if code or message:
            request_id = _first(level, ("request_id",)) or _first(data, ("request_id",))
            return ErrorBody(code=code, message=message, request_id=request_id)
    return ErrorBody(excerpt="" if isinstance(data, dict) else excerpt(body))


def excerpt(said: str | bytes) -> str:
    """A short piece of what was said, for a person to recognise it by: no markup, line breaks or control characters."""
    page = said[:_MAX_PAGE]
    plain = _MARKUP.sub(" ", page if isinstance(page, str) else as_text(page))
    begun = " ".join(plain.split())[:_MAX_WORDS]
    words = " ".join("".join(c if c.isprintable() else " " for c in begun).split())
    return words if len(words) <= _MAX_EXCERPT else words[: _MAX_EXCERPT - 1] + "…"


def _levels(data: Any) -> list[dict[str, Any]]:
    if not isinstance(data, dict):
        return []
    return [data, *(value for value in data.values() if isinstance(value, dict))]


def _first(level: dict[str, Any], keys: tuple[str, ...]) -> str | None:
    for key in keys:
        value = level.get(key)
        found = None if isinstance(value, bool) else text(value)
        if found and found.strip():
            return found.strip()
    return None
