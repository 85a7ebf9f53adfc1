"""Texts of a plan that are names: ids, versions, endpoints, days, times, time zones. Each is checked for its form."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import structs

from orchestrator.model.reply.version import is_version
from orchestrator.pattern import pattern
from orchestrator.planner.reading.shapes import Leaf
from orchestrator.spoken import nearest

#: API: UpgradeProxyVersion gives the form of the three ids. They go into URLs, so nothing else may pass.
_PROJECT_ID = pattern(r"[A-Za-z0-9]{32}")
_INSTANCE_ID = pattern(r"[A-Za-z0-9]{32}in07")
_PROXY_ID = pattern(r"[A-Za-z0-9]{32}po01")

_NAME = pattern(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HOSTS = pattern(r"[A-Za-z0-9_*?.-]{1,253}")
_REGION = pattern(r"[a-z]{2,}(-[a-z0-9]+){1,4}")
_ENDPOINT = pattern(r"(https?)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)(:[0-9]{1,5})?/?")
_VARIABLE = pattern(r"[A-Za-z_][A-Za-z0-9_]*")
_VERSION = pattern(r"[0-9]{1,9}(\.[0-9]{1,9}){0,7}")
_DATE = pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = pattern(r"([01]?[0-9]|2[0-3]):[0-5][0-9]|24:00")
#: Names of time zones: area and place, or an old one without an area. No others, for a host may have files of its own,
#: such as `localtime`, that mean something else elsewhere.
_ZONE = pattern(
    "(Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Brazil|Canada|Chile|Etc|Europe|Indian|Mexico|Pacific|US)"
    "(/[A-Za-z0-9_+-]+){1,2}|CET|CST6CDT|Cuba|EET|EST|EST5EDT|Egypt|Eire|GB|GB-Eire|GMT|GMT[+-]?0|Greenwich|HST|"
    "Hongkong|Iceland|Iran|Israel|Jamaica|Japan|Kwajalein|Libya|MET|MST|MST7MDT|NZ|NZ-CHAT|Navajo|PRC|PST8PDT|Poland|"
    "Portugal|ROC|ROK|Singapore|Turkey|UCT|UTC|Universal|W-SU|WET|Zulu"
)
_LOOPBACK = pattern(r"http://(localhost|127\.[0-9.]+|\[::1\])(:[0-9]+)?")
_OTHER_FILTER = pattern(r"[A-Za-z0-9-]{1,64}")

#: Near the ends of the calendar, 0001 and 9999, no time zone and days around a date cannot be found.
YEARS = range(2000, 3000)

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MINUTES = 24 * 60


#: Of texts: a number or `true` is text to this program, but not to an editor's YAML.
_ANY_SCALAR = {"type": ["string", "number", "boolean"], "minimum": 0}
_TEXT_OR_NUMBER = {"type": ["string", "number"], "minimum": 0}
_ONLY_TEXT = {"type": "string"}


def _like(
    pattern: re.Pattern[str], expected: str, *, scalar: dict[str, Any] = _ONLY_TEXT, secretive: bool = False
) -> Leaf:
    def parse(text: str) -> str:
        if pattern.fullmatch(text) is None:
            raise ValueError
        return text

    schema = {**scalar, "pattern": f"^({pattern.pattern})$"}
    return Leaf(expected=expected, parse=parse, schema=schema, secretive=secretive)


PROJECT_ID = _like(_PROJECT_ID, "a project id of 32 letters and digits", scalar=_TEXT_OR_NUMBER)
INSTANCE_ID = _like(_INSTANCE_ID, "an instance id of 36 letters and digits ending in in07")
PROXY_ID = _like(_PROXY_ID, "a proxy id of 36 letters and digits ending in po01")
NAME = _like(
    _NAME,
    "a name of at most 64 letters, digits, dots, dashes and underscores, beginning with a letter or digit",
    scalar=_ANY_SCALAR,
)
HOSTS = _like(_HOSTS, "the name of a host, or of several with * and ?, such as bj-*", scalar=_ANY_SCALAR)
REGION = _like(_REGION, "a region such as cn-north-4")
FILTER_ID = _like(_OTHER_FILTER, "an id of letters, digits and dashes", scalar=_TEXT_OR_NUMBER)
VARIABLE = _like(_VARIABLE, "the name of an environment variable (never its value)", secretive=True)
LABEL = Leaf(
    expected="a text", parse=str, schema={"type": ["string", "number", "boolean", "null"], "pattern": r"^[^\u0000]*$"}
)


def _filled(text: str) -> str:
    if not text.strip():
        raise ValueError
    return text


_FILLED = {"type": ["string", "number", "boolean"], "pattern": r"^[^\u0000]*[^\s\u0000][^\u0000]*$"}
TEXT = Leaf(expected="a text", parse=_filled, schema=_FILLED)
SECRETIVE_TEXT = Leaf(expected="a text", parse=_filled, schema=_FILLED, secretive=True)


_SWITCHES = {False: {"off", "no", "false"}, True: {"on", "yes", "true"}}


def word(*words: str) -> Leaf:
    """One of some words."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError
        return text

    return Leaf(expected=" or ".join(words), parse=parse, schema={"enum": [*words, *_as_switches(words)]})


def _as_switches(words: Sequence[str]) -> list[bool]:
    """What YAML 1.1, by which many editors read, makes of words such as `off`."""
    return [value for value, same in _SWITCHES.items() if not same.isdisjoint(words)]


PLAN_VERSION = structs.replace(word("1"), schema={"enum": [1, "1"]})


def _version(text: str) -> str:
    if not is_version(text):
        raise ValueError
    return text


VERSION = Leaf(
    expected="a version such as 2.24.03.000",
    parse=_version,
    schema={**_TEXT_OR_NUMBER, "pattern": f"^{_VERSION.pattern}$"},
)


def _fleet_name(text: str) -> str:
    if text.lower() == "simulated":
        raise ValueError("is the name of the folder in which simulated runs are kept; choose another")
    if _NAME.fullmatch(text) is None:
        raise ValueError
    return text


_NOT_SIMULATED = "(?!" + "".join(f"[{char}{char.upper()}]" for char in "simulated") + "$)"
FLEET_NAME = Leaf(
    expected=NAME.expected,
    parse=_fleet_name,
    schema={**_ANY_SCALAR, "pattern": f"^{_NOT_SIMULATED}{_NAME.pattern}$"},
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


#: JSON Schema of an endpoint that needs no `http.allow_http`.
SAFE_ENDPOINT = {"pattern": f"^(https://.*|{_LOOPBACK.pattern}/?)$"}


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


_LEAP_YEARS = "2[0-9](0[48]|[2468][048]|[13579][26])|2[048]00"
#: The days of `YEARS`.
_CALENDAR = (
    "2[0-9]{3}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
    f"|({_LEAP_YEARS})-02-29"
)

DATE = Leaf(expected="a date such as 2026-12-20", parse=_date, schema={"type": "string", "pattern": f"^({_CALENDAR})$"})


def _timezone(text: str) -> str:
    from zoneinfo import ZoneInfo  # noqa: PLC0415  # costs start-up time, and most plans name no zone

    try:
        if _ZONE.fullmatch(text):
            return ZoneInfo(text).key
    except (ValueError, OSError, LookupError):
        pass
    raise ValueError(f"expected the name of a time zone such as {_near_zone(text)} or UTC")


def _near_zone(text: str) -> str:
    """The zone that was probably meant, for an example."""
    from zoneinfo import available_timezones  # noqa: PLC0415  # only for a wrong one

    return nearest(text, sorted(filter(_ZONE.fullmatch, available_timezones()))) or "Asia/Shanghai"


TIMEZONE = Leaf(
    expected="a time zone such as Asia/Shanghai",
    parse=_timezone,
    schema={"type": "string", "pattern": f"^({_ZONE.pattern})$"},
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
