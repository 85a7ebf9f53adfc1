"""Decide what an answer that brought no result means: was the request executed, and what may follow. Pure.

The rule: a code means refused or busy only under a 4xx status, where it decides before the status. Under 5xx, 408 and
2xx every code is in doubt, except throttling and refused credentials, which are said before a request is executed.
"""

from typing import assert_never

from orchestrator.cloud.reading.answer import Answer, exchange_of, http_date
from orchestrator.cloud.reading.codes import ALREADY_LATEST, MEANINGS, NOT_FOUND, Meaning, canonical
from orchestrator.cloud.reading.error_body import ErrorBody, excerpt, read_error
from orchestrator.cloud.reading.pause import header_wait_s, period_s, quota
from orchestrator.model.reply.reply import Busy, Doubtful, Exchange, Failure, Refused, Throttled, Unauthenticated

#: The gateway refuses signatures whose date differs by more (signing guide, devg-apisign).
MAX_SKEW_S = 15 * 60.0

_UNAUTHORIZED = 401
_NOT_FOUND = 404
_TIMEOUT = 408
_CONFLICT = 409
_TOO_MANY = 429

_DECIDES_ANYWHERE = frozenset({Meaning.THROTTLED, Meaning.CREDENTIALS})


def classify(answer: Answer, *, generation: int = 0) -> Failure:
    """What an answer without a usable result means.

    Args:
        answer: the answer.
        generation: number of the credentials that the request carried.
    """
    error = read_error(answer.body)
    code = canonical(error.code or "")
    exchange = exchange_of(answer, error)
    match _meaning(answer.status, code):
        case Meaning.THROTTLED:
            return _throttled(answer, error.message or "", exchange)
        case Meaning.CREDENTIALS | Meaning.LOGIN:
            return Unauthenticated(_skewed(_words(answer, error), exchange), exchange, generation)
        case Meaning.BUSY:
            return Busy(_words(answer, error), exchange)
        case Meaning.REFUSED:
            found_nothing = code in NOT_FOUND or (answer.status == _NOT_FOUND and code.startswith("DBS."))
            return Refused(_words(answer, error), exchange, code in ALREADY_LATEST, found_nothing)
        case Meaning.SERVER:
            words = _words(answer, error)
            return Doubtful(words if words.startswith("HTTP ") else f"HTTP {answer.status}: {words}", exchange)
        case never:
            assert_never(never)


def _meaning(status: int, code: str) -> Meaning:
    known = MEANINGS.get(code)
    if known in _DECIDES_ANYWHERE:
        return known
    if status < 300 or status >= 500 or status == _TIMEOUT:  # noqa: PLR2004 - the classes of RFC 9110
        return Meaning.SERVER
    if status < 400:  # noqa: PLR2004 - 3xx: redirects are not followed
        return Meaning.REFUSED
    return known or _by_status(status, code)


def _by_status(status: int, code: str) -> Meaning:
    """The meaning of a 4xx whose code nobody knows, or that has none."""
    if status == _TOO_MANY:
        return Meaning.THROTTLED
    if status == _UNAUTHORIZED:
        return Meaning.LOGIN
    return Meaning.BUSY if status == _CONFLICT and code.startswith("DBS.") else Meaning.REFUSED


def _throttled(answer: Answer, text: str, exchange: Exchange) -> Throttled:
    """How long the cloud wants us to wait: `Retry-After`, else the period in the text."""
    # Both instants are the cloud's when it sends its own, so that a wrong clock here does no harm.
    now = http_date(answer.headers.get("Date") or "") or answer.at
    wait_s = header_wait_s(answer.headers.get("Retry-After") or "", now)
    if wait_s is not None:
        return Throttled(wait_s, exchange)
    return Throttled(period_s(text), exchange, quota(text))


def _words(answer: Answer, error: ErrorBody) -> str:
    """The cloud's words as they are; without any, what is known."""
    if error.message or error.code:
        return error.message or error.code or ""
    if error.excerpt:
        return error.excerpt
    location = answer.headers.get("Location")
    if location:
        return f"HTTP {answer.status}, redirected to {excerpt(location.split('?')[0])}; redirects are not followed"
    return f"HTTP {answer.status} without a message"


def _skewed(reason: str, exchange: Exchange) -> str:
    """The refusal's reason, with a wrong clock named when it is the likely cause."""
    offset_s = exchange.cloud_offset_s
    if offset_s is None or abs(offset_s) <= MAX_SKEW_S:
        return reason
    side = "behind" if offset_s > 0 else "ahead of"
    return (
        f"{reason} (this machine's clock is {abs(offset_s) / 60:.0f} minutes {side} the cloud's, and"
        f" requests are refused beyond {MAX_SKEW_S / 60:.0f} minutes: set the clock)"
    )
