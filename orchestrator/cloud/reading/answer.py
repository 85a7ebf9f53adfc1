"""One HTTP answer as it arrived, before anybody judged it, and the facts of it that are kept."""

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from msgspec import Struct

from orchestrator.cloud.reading.error_body import ErrorBody
from orchestrator.cloud.reading.lenient import believable
from orchestrator.model.reply.reply import Exchange

#: The headers of which something is kept, see `exchange_of`.
KEPT_HEADERS = ("Date", "X-Request-Id", "X-IAM-Trace-Id")

_LONGEST_DATE = 64

#: The gateway's are 32 digits; a proxy on the way may send one of its own making.
_LONGEST_REQUEST_ID = 128


class Answer(Struct, frozen=True):
    """Status, headers and the whole body.

    Attributes:
        headers: looked up without regard to case.
        at: when it had arrived, by our clock.
        duration_ms: from sending to the end of the answer.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    at: datetime
    duration_ms: int = 0

    @property
    def ok(self) -> bool:
        """Whether the status is a 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the classes of RFC 9110


def exchange_of(answer: Answer, error: ErrorBody | None = None) -> Exchange:
    """The facts of an answer for journal and report."""
    headers = answer.headers
    return Exchange(
        http_status=answer.status,
        request_id=_request_id(headers) or (error.request_id if error else None),
        error_code=error.code if error else None,
        error_msg=error.message if error else None,
        duration_ms=answer.duration_ms,
        cloud_offset_s=cloud_offset_s(headers.get("Date"), answer.at),
    )


def _request_id(headers: Mapping[str, str]) -> str | None:
    found = headers.get("X-Request-Id") or headers.get("X-IAM-Trace-Id") or ""
    return header_text(found)[:_LONGEST_REQUEST_ID] or None


def header_text(value: str) -> str:
    """A header as text: aiohttp leaves bytes that are not UTF-8 in it as surrogates, which nothing can write."""
    return value.encode("utf-8", "backslashreplace").decode()


def cloud_offset_s(date: str | None, now: datetime) -> float | None:
    """The cloud's `Date` minus our clock, in seconds; None without a readable one."""
    instant = http_date(date) if date else None
    return None if instant is None else round((instant - now).total_seconds(), 3)


@lru_cache(maxsize=64)  # thousands of answers share a second, and parsing one date costs 10 us
def http_date(text: str) -> datetime | None:
    """An HTTP date (RFC 9110 §5.6.7) as an instant; None when it is none."""
    try:
        return believable(parsedate_to_datetime(text)) if len(text) <= _LONGEST_DATE else None
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
