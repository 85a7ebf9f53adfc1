"""Instants as the simulated cloud writes and reads them. The true clock is turned into the cloud's by the caller."""

import re
from datetime import UTC, datetime

_OFFSET = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:Z|([+-]\d\d):?(\d\d))")


def stamp(t: float) -> str:
    """`2026-08-06T10:41:14+0000`: the form of jobs and lists, whose zone has no colon."""
    return datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def fine_stamp(t: float) -> str:
    """`2026-01-02T03:04:05.678000Z`: the form of IAM."""
    return datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def http_date(t: float) -> str:
    """The Date header (RFC 9110 §5.6.7), in English whatever the locale."""
    moment = datetime.fromtimestamp(t, UTC)
    day, month = "MonTueWedThuFriSatSun", "JanFebMarAprMayJunJulAugSepOctNovDec"
    at = moment.weekday() * 3
    name = month[moment.month * 3 - 3 : moment.month * 3]
    return f"{day[at : at + 3]}, {moment:%d} {name} {moment:%Y %H:%M:%S} GMT"


def parse_stamp(text: str) -> float | None:
    """Seconds since the epoch of `yyyy-mm-ddThh:mm:ssZ`, with Z or an offset like +0100; None when it is no instant."""
    match = _OFFSET.fullmatch(text.replace(" ", "+"))
    if match is None:
        return None
    zone = "+00:00" if match[2] is None else f"{match[2]}:{match[3]}"
    try:
        return datetime.fromisoformat(match[1] + zone).timestamp()
    except ValueError:  # digits that are no date
        return None
