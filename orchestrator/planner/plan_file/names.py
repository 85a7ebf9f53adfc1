"""Texts of a plan that are names: ids, versions, endpoints, days, times, time zones. Each is checked for its form."""

import re
from collections.abc import Iterable

from msgspec import structs

from orchestrator.model.version import is_version
from orchestrator.planner.reading.shapes import Leaf

#: API: UpgradeProxyVersion gives the form of the three ids. They go into URLs, so nothing else may pass.
_PROJECT_ID = re.compile(r"[A-Za-z0-9]{32}")
_INSTANCE_ID = re.compile(r"[A-Za-z0-9]{32}in07")
_PROXY_ID = re.compile(r"[A-Za-z0-9]{32}po01")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_REGION = re.compile(r"[a-z]{2,}(-[a-z0-9]+){1,4}")
_ENDPOINT = re.compile(r"(https?)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)(:[0-9]{1,5})?/?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VERSION = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}){0,7}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):[0-5][0-9]|24:00")
_LOOPBACK = re.compile(r"http://(localhost|127\.[0-9.]+|\[::1\])(:[0-9]+)?")
_OTHER_FILTER = re.compile(r"[A-Za-z0-9-]{1,64}")

#: Near the ends of the calendar, 0001 and 9999, no time zone and days around a date cannot be found.
YEARS = range(2000, 3000)

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MINUTES = 24 * 60


def _like(pattern: re.Pattern[str], expected: str, *, secretive: bool = False) -> Leaf:
    def parse(text: str) -> str:
        if pattern.fullmatch(text) is None:
            raise ValueError
        return text

    # A number is text to this program, but not to an editor's YAML: an id of digits only must pass there too.
    schema = {"type": ["string", "number"], "pattern": f"^({pattern.pattern})$"}
    return Leaf(expected=expected, parse=parse, schema=schema, secretive=secretive)


PROJECT_ID = _like(_PROJECT_ID, "a project id of 32 letters and digits")
INSTANCE_ID = _like(_INSTANCE_ID, "an instance id of 36 letters and digits ending in in07")
PROXY_ID = _like(_PROXY_ID, "a proxy id of 36 letters and digits ending in po01")
NAME = _like(
    _NAME, "a name of at most 64 letters, digits, dots, dashes and underscores, beginning with a letter or digit"
)
REGION = _like(_REGION, "a region such as cn-north-4")
FILTER_ID = _like(_OTHER_FILTER, "an id of letters, digits and dashes")
VARIABLE = _like(_VARIABLE, "the name of an environment variable (never its value)", secretive=True)
LABEL = Leaf(expected="a text", parse=str, schema={"type": ["string", "number", "boolean", "null"]})


def _filled(text: str) -> str:
    if not text.strip():
        raise ValueError
    return text


TEXT = Leaf(expected="a text", parse=_filled, schema={"type": ["string", "number"], "minLength": 1})
SECRETIVE_TEXT = Leaf(
    expected="a text",
    parse=_filled,
    schema={"type": ["string", "number"], "minLength": 1},
    secretive=True,
)


def word(*words: str) -> Leaf:
    """One of some words."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError
        return text

    return Leaf(expected=" or ".join(words), parse=parse, schema={"enum": list(words)})


PLAN_VERSION = structs.replace(word("1"), schema={"enum": [1, "1"]})


def _version(text: str) -> str:
    if not is_version(text):
        raise ValueError
    return text


VERSION = Leaf(
    expected="a version such as 2.24.03.000",
    parse=_version,
    schema={"type": ["string", "number"], "pattern": f"^{_VERSION.pattern}$"},
)


def _fleet_name(text: str) -> str:
    if text.lower() == "simulated":
        raise ValueError("is the name of the folder in which simulated runs are kept; choose another")
    if _NAME.fullmatch(text) is None:
        raise ValueError
    return text


FLEET_NAME = Leaf(
    expected=NAME.expected, parse=_fleet_name, schema={"type": ["string", "number"], "pattern": f"^{_NAME.pattern}$"}
)


def _endpoint(text: str) -> str:
    if _ENDPOINT.fullmatch(text) is None:
        raise ValueError
    return text.rstrip("/")


#: Secretive, for a URL may hold a password.
ENDPOINT = Leaf(
    expected="an address such as https://gaussdb.cn-north-4.myhuaweicloud.com, without user, path or query",
    parse=_endpoint,
    schema={"type": "string", "pattern": f"^{_ENDPOINT.pattern}$"},
    secretive=True,
)


def is_plain_http(endpoint: str) -> bool:
    """Whether calls would travel unencrypted beyond this machine."""
    return endpoint.startswith("http:") and _LOOPBACK.fullmatch(endpoint) is None


def _day(text: str) -> int:
    try:
        return DAYS.index(text)
    except ValueError:
        raise ValueError("") from None


DAY = Leaf(expected="a day: " + ", ".join(DAYS), parse=_day, schema={"enum": list(DAYS)})


def _time(text: str) -> int:
    if _TIME.fullmatch(text) is None:
        raise ValueError
    hours, minutes = text.split(":")
    return (int(hours) * 60 + int(minutes)) % _DAY_MINUTES


TIME = Leaf(
    expected='a time such as "22:00"', parse=_time, schema={"type": "string", "pattern": f"^({_TIME.pattern})$"}
)


def _date(text: str) -> str:
    from datetime import date  # noqa: PLC0415  # a plan without freezes needs no calendar

    if _DATE.fullmatch(text) is None:
        raise ValueError
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError("expected a day of the calendar") from None
    if day.year not in YEARS:
        raise ValueError(f"expected a day of the years {YEARS[0]} to {YEARS[-1]}")
    return day.isoformat()


DATE = Leaf(
    expected="a date such as 2026-12-20", parse=_date, schema={"type": "string", "pattern": f"^{_DATE.pattern}$"}
)


def _timezone(text: str) -> str:
    from zoneinfo import ZoneInfo  # noqa: PLC0415  # costs start-up time, and most plans name no zone

    try:
        return ZoneInfo(text).key
    except (ValueError, OSError, LookupError):
        raise ValueError("expected the name of a time zone such as Asia/Shanghai or UTC") from None


TIMEZONE = Leaf(
    expected="a time zone such as Asia/Shanghai", parse=_timezone, schema={"type": "string", "minLength": 1}
)


def _inventory_file(text: str) -> str:
    if not text.lower().endswith((".csv", ".ndjson", ".jsonl")):
        raise ValueError("expected a file ending in .csv, .ndjson or .jsonl")
    return text


INVENTORY_FILE = Leaf(
    expected="the path of a .csv or .ndjson file",
    parse=_inventory_file,
    schema={"type": "string", "pattern": r"\.([cC][sS][vV]|[nN][dD][jJ][sS][oO][nN]|[jJ][sS][oO][nN][lL])$"},
)


def known_names(names: Iterable[str]) -> str:
    """Names for a message: `bj4, sh1`."""
    return ", ".join(sorted(names))
