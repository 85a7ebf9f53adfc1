"""How long the cloud asks us to wait: `Retry-After`, or the period in the text of a refusal. Pure.

What comes out is always positive and finite. How much of a long wait is honoured is for the caller to decide.
"""

import math
import re
from datetime import datetime

from orchestrator.cloud.reading.answer import http_date
from orchestrator.model.reply.reply import Quota
from orchestrator.pattern import pattern

_DAY_S = 86_400.0

#: A server that asks for more asks for "not any more"; so far it can still be added to any instant.
LONGEST_S = 366 * _DAY_S

#: A number that is an instant this close to the present is one: as a duration it would be decades.
_NEAR_S = 366 * _DAY_S

#: The longest period of a quota; the gateway's units end with the day (APIGW throttling policies).
_LONGEST_QUOTA_S = _DAY_S

_LONGEST_HEADER = 64
_UNIT_S = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": _DAY_S}

#: "limit:5,time:1 minute" of the gateway; "N times per M seconds" of IAM.
_CALLS = pattern(r"\blimit\s*+:\s*+(\d{1,9})\b|\b(\d{1,9})\s++times?\s++per\b", re.IGNORECASE)
_PERIOD = pattern(r"(?:\btime\s*+:|\btimes?\s++per)\s*+(\d{1,6})?+\s*+(second|minute|hour|day)s?\b", re.IGNORECASE)


def header_wait_s(header: str, now: datetime) -> float | None:
    """Seconds that a `Retry-After` asks for; None when it asks for none or cannot be read.

    Args:
        header: seconds, or a date (RFC 9110 §10.2.3), or, as some gateways send it, seconds or milliseconds since 1970.
        now: by the sender's clock.
    """
    if len(header) > _LONGEST_HEADER:
        return None
    try:
        number = float(header)
    except ValueError:
        instant = http_date(header)
        return None if instant is None else _positive((instant - now).total_seconds())
    return _positive(_duration_s(number, now.timestamp())) if math.isfinite(number) else None


def _duration_s(number: float, now_s: float) -> float:
    """A number of seconds as it is, and an instant near now as the time until it."""
    distances_s = (number - now_s, number / 1000 - now_s)
    return next((distance_s for distance_s in distances_s if abs(distance_s) <= _NEAR_S), number)


def period_s(text: str) -> float | None:
    """The period that a refusal names, in seconds."""
    period = _PERIOD.search(text)
    return None if period is None else _positive(int(period[1] or 1) * _UNIT_S[period[2].lower()])


def quota(text: str) -> Quota | None:
    """The limit that a refusal names: so many calls in its period."""
    calls, wait_s = _CALLS.search(text), period_s(text)
    number = int(calls[1] or calls[2]) if calls else 0
    return Quota(number, wait_s) if number and wait_s and wait_s <= _LONGEST_QUOTA_S else None


def _positive(seconds: float) -> float | None:
    return min(seconds, LONGEST_S) if seconds > 0 else None
