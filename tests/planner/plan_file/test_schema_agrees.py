"""The JSON Schema and the program accept and refuse the same plans, wherever a schema can know."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import jsonschema
import pytest
import yaml

from orchestrator.errors import PlanError
from orchestrator.planner.plan_file.json_schema import plan_schema
from orchestrator.planner.plan_file.load import load_plan
from orchestrator.planner.plan_file.names import TIMEZONE

PLANS = Path(__file__).parents[3] / "plans"
VALIDATOR = jsonschema.Draft202012Validator(plan_schema())

I1, P1 = "1" * 32 + "in07", "2" * 32 + "po01"
HEAD = {"version": 1, "region": "cn-north-4", "project_id": "0" * 31 + "a", "target_version": "2.24.03.000"}
GOOD = {**HEAD, "proxies": [{"instance_id": I1, "proxy_id": P1}]}
SCOPED = {
    "version": 1,
    "target_version": "2.24.03.000",
    "scopes": {"a": {"region": "cn-north-4"}},
    "proxies": [{"scope": "a", "instance_id": I1, "proxy_id": P1}],
}

COUNTS: list[Any] = [
    0,
    1,
    10,
    11,
    100,
    101,
    -1,
    1.5,
    "0",
    "00",
    "1",
    "007",
    "1_0",
    "1__0",
    "_1",
    "10000",
    "10_000",
    "10001",
]
COUNTS += [
    10_000,
    10_001,
    "100000",
    "100001",
    "10000000",
    "10_000_000",
    "10000001",
    10_000_000,
    10_000_001,
    "",
    "x",
    "-1",
]
AMOUNTS: list[Any] = [
    *COUNTS,
    "0%",
    "0.0%",
    "0.5%",
    ".5%",
    "1%",
    "99.9%",
    "100%",
    "100.0%",
    "100.1%",
    "101%",
    "140%",
    "1000%",
]
AMOUNTS += ["%", "x%", "-1%", "1 %", "007%", "1_0%"]
DURATIONS: list[Any] = [
    "0s",
    "0ms",
    "1ms",
    "9ms",
    "9.5ms",
    "10ms",
    "0.5s",
    "1s",
    "01s",
    "1.5h",
    "59m",
    "60m",
    "10m",
    "61m",
    "10.5m",
]
DURATIONS += [
    "1h",
    "1.1h",
    "24h",
    "24.5h",
    "25h",
    "1d",
    "1.0d",
    "2d",
    "7d",
    "7.1d",
    "8d",
    "30d",
    "30.5d",
    "31d",
    "720h",
]
DURATIONS += [
    "721h",
    "1_000ms",
    "3_600s",
    "3601s",
    "604800s",
    "604801s",
    "15",
    15,
    "",
    "s",
    "1w",
    "-1s",
    "1 s",
    "9" * 30 + "s",
]
RATES: list[Any] = [
    "auto",
    "1/s",
    "0/s",
    "0.0/s",
    "0.5/s",
    ".5/s",
    "300/min",
    "1000000/s",
    "1_000_000/s",
    "1000001/s",
    "60000000/min",
]
RATES += ["60000001/min", "3600000000/h", "3600000001/h", "5", 5, "1/d", "/s", "fast", "-1/s", "1.5/s/s", ""]
SWITCHES: list[Any] = [True, False, "yes", "No", "ON", "off", "true", "TRUE", "tRUE", "maybe", "", 1, 0, "1"]
DATES: list[Any] = [
    "2026-02-28",
    "2026-02-29",
    "2028-02-29",
    "2100-02-29",
    "2400-02-29",
    "2026-04-31",
    "2026-12-31",
    "2026-13-01",
]
DATES += [
    "2026-00-01",
    "2026-01-00",
    "1999-12-31",
    "2000-02-29",
    "2999-12-31",
    "3000-01-01",
    "26-1-1",
    "2026-1-1",
    "",
    "x",
]
ZONES: list[Any] = [
    "UTC",
    "Asia/Shanghai",
    "America/Argentina/Salta",
    "Etc/GMT+8",
    "PRC",
    "GMT+0",
    "",
    "+08:00",
    "UTC+8",
    "Beijing",
]
ZONES += ["localtime", "posix/UTC", "asia/shanghai", "../UTC", "Asia/", "/etc/passwd", 8]
TIMES: list[Any] = ["22:00", "5:00", "05:00", "24:00", "24:01", "23:60", "2200", 2200, "", "22", "22:0", "022:00"]
NAMES: list[Any] = [
    "a",
    "A-1_b.c",
    "x" * 64,
    "x" * 65,
    "",
    "-a",
    ".a",
    "a/b",
    "a b",
    "é",
    "simulated",
    "Simulated",
    "simulated2",
    True,
    7,
    -7,
]
IDS: list[Any] = [I1, P1, "0" * 32, "0" * 31, "x" * 36, "", "a/b", True]
ADDRESSES: list[Any] = [
    "https://a.b",
    "https://a.b/",
    "https://a.b:443",
    "http://a.b",
    "http://localhost:80",
    "http://127.0.0.1:80/",
]
ADDRESSES += ["http://[::1]:1", "http://localhost.evil", "ftp://a", "a.b", "https://u:p@a.b", "https://a.b/x", "", 1]
WORDS: list[Any] = [
    "any",
    "all",
    "strict",
    "soft",
    "continue",
    "hold",
    "completed",
    "verified",
    "en-us",
    "zh-cn",
    "",
    "Any",
    1,
    True,
]
TEXTS: list[Any] = ["x", " ", "", "a b", True, 5, "a\0b", "\t", "x\n"]
OTHER: list[Any] = [[], {}, [[]], [{}], {"x": {}}]

#: By place: values of its kind, each of which takes its turn there.
KINDS: dict[str, list[Any]] = {
    "version": [1, "1", 2, "2", "", True],
    "name": NAMES,
    "target_version": ["2.24.03.000", "9", 9, 9.5, "9.0.0.0.0.0.0.0", "9.0.0.0.0.0.0.0.0", "v9", "9.", "", ".9"],
    "source_version": ["2.23", [], ["2.23"], ["2.23", "2.22"], ["2.23", "2.23"], [""], "x", 2.23, ["x"]],
    "region": ["cn-north-4", "cn", "CN-north-4", "", 4, "cn_north"],
    "project_id": IDS,
    "endpoint": ADDRESSES,
    "iam_endpoint": ADDRESSES,
    "scopes_required": WORDS,
    "language": WORDS,
    "fit": SWITCHES,
    "expect.min": [count for count in COUNTS if count in (0, 1, "0", "1")] + ["x", "", -1, "10000001"],
    "expect.max": [count for count in COUNTS if count not in (0, "0", "00")],
    "limits.concurrency": COUNTS,
    "limits.rate": RATES,
    "limits.in_flight": AMOUNTS,
    "limits.per_instance": COUNTS,
    "limits.per_label.app": COUNTS,
    "limits.per_label": [{}, {"": 1}, {" ": 1}, {"a": 1}, {"a": 0}],
    "limits.ramp": SWITCHES,
    "failures.max": AMOUNTS,
    "failures.max_rejected": AMOUNTS,
    "failures.mode": WORDS,
    "failures.new_reject": WORDS,
    "failures.counts": [[], ["failed"], ["failed", "failed"], ["done"], "failed"],
    "waves.0.size": AMOUNTS,
    "waves.0.soak": DURATIONS,
    "waves.0.max_failures": AMOUNTS,
    "waves.0.approve": SWITCHES,
    "waves.0.name": [name for name in NAMES if name != "rest"],
    "waves.0.select": [
        {},
        {"scope": "default"},
        {"scope": "other"},
        {"labels": {}},
        {"labels": {"": "x"}},
        {"name": " "},
    ],
    "follow.to": WORDS,
    "follow.poll": DURATIONS,
    "follow.timeout": [text for text in DURATIONS if text not in ("1s", "01s", "1_000ms", "59m", "10m", "10.5m")],
    "follow.verify_for": DURATIONS,
    "retry.attempts": COUNTS,
    "retry.max_backoff": [text for text in DURATIONS if text not in ("1ms", "9ms", "9.5ms", "10ms", "0.5s")],
    "retry.busy": DURATIONS,
    "retry.busy_for": DURATIONS,
    "retry.resend_after": DURATIONS,
    "http.timeout": DURATIONS,
    "http.connect_timeout": DURATIONS,
    "http.allow_http": SWITCHES,
    "http.ca_file": TEXTS,
    "metrics.textfile": TEXTS,
    "notify": [
        [],
        {},
        "HOOK",
        [{}],
        [{"webhook_env": "HOOK"}],
        [{"webhook_env": "https://x"}],
        [{"webhook_env": "HOOK", "secret_env": "KEY"}],
        [{"ping_env": "HOOK", "secret_env": "KEY"}],
        [{"secret_env": "KEY"}],
        [{"webhook_env": "HOOK", "ping_env": "PING"}],
        [{"command": ["a"]}, {"apprise_env": "A"}, {"ping_env": "P", "on": ["held"]}],
        [{"command": []}],
        [{"command": "a"}],
        [{"command": ["a"], "on": []}],
        [{"command": ["a"], "on": ["held", "held"]}],
        [{"command": ["a"], "on": ["helt"]}],
        [{"on": ["held"]}],
    ],
    "windows": ["always", "instance", "never", [], ""],
    "windows.0.days": [["mon"], ["mon", "mon"], [], ["Mon"], "mon", ["monday"]],
    "windows.0.from": TIMES,
    "windows.0.timezone": ZONES,
    "freezes.0.timezone": ZONES,
    "proxies.0.instance_id": IDS,
    "proxies.0.proxy_id": IDS,
    "proxies.0.scope": ["default", "other", ""],
    "proxies.0.source_version": ["2.23", "x", "", 2.23],
    "proxies.0.labels": [{}, {"a": "x"}, {"a": 1}, {"a": True}, {"a": None}, {"": "x"}, {"a": []}, {"a": "\0"}],
    "inventory": ["a.csv", "a.CSV", ["a.ndjson", "b.jsonl"], ["a.csv", "a.csv"], "a.txt", "", [], [""]],
    "discover": [[{}], [{"scope": "default"}], [{"scope": "other"}], [{"instances": {"ids": []}}], [{"x": 1}]],
    "discover.0.instances": [{"tags": {}}, {"tags": {"a": "b"}}, {"vpc_id": "a-1"}, {"vpc_id": "a/1"}, {"name": " "}],
    "exclude": [[], [{}], [{"scope": "default"}], [{"scope": "other"}], [{"proxy_id": P1}], [{"proxy_id": I1}]],
    "auth.token_env": ["T", "1T", "", "a b", "$T"],
    "auth.token_file": TEXTS,
    "auth.token_command": [["a"], ["a", "b"], [], "a", [""]],
    "auth": [
        {},
        {"token_env": "T"},
        {"token_env": "T", "token_file": "f"},
        {"user": "u"},
        {"user": "u", "domain": "d"},
        {"user": "u", "domain": "d", "password_env": "P"},
        {"user": "u", "domain": "d", "password_file": "p"},
        {"user": "u", "domain": "d", "password_env": "P", "password_file": "p"},
        {"password_env": "P"},
        {"access_key_env": "A"},
        {"secret_key_env": "S"},
        {"access_key_env": "A", "secret_key_env": "S"},
        {"access_key_env": "A", "secret_key_env": "S", "security_token_env": "T"},
        {"access_key_env": "A", "security_token_env": "T"},
        {"security_token_env": "T"},
        {"profile": "p"},
        {"profile": "p", "agency": True},
        {"agency": True},
        {"agency": "yes"},
        {"agency": False},
        {"agency": "no"},
        {"token_env": "T", "profile": "p"},
    ],
}

#: Whole plans: rules between keys.
WHOLE: list[dict[str, Any]] = [
    GOOD,
    HEAD,
    {key: value for key, value in GOOD.items() if key != "region"},
    {key: value for key, value in GOOD.items() if key != "target_version"},
    {**{key: value for key, value in GOOD.items() if key != "region"}, "endpoint": "https://a.b"},
    SCOPED,
    {**SCOPED, "region": "cn-north-4"},
    {**SCOPED, "auth": {}},
    {**SCOPED, "scopes": {}},
    {**SCOPED, "scopes": {"a": {}}},
    {**SCOPED, "scopes": {"a": {"endpoint": "https://a.b"}}},
    {**SCOPED, "scopes": {"a": {"endpoint": "https://a.b", "project_id": "0" * 31 + "a"}}},
    {**SCOPED, "scopes": {"a": {"region": "cn-north-4", "endpoint": "http://a.b"}}},
    {**SCOPED, "scopes": {"a": {"region": "cn-north-4", "endpoint": "http://a.b"}}, "http": {"allow_http": True}},
    {**SCOPED, "scopes": {"a": {"region": "cn-north-4"}, "b/": {"region": "cn-north-4"}}},
    {**SCOPED, "scopes": {"a": {"region": "cn-north-4", "max_failures": "140%"}}},
    {**SCOPED, "proxies": GOOD["proxies"]},
    {**SCOPED, "discover": [{}]},
    {**SCOPED, "discover": [{"scope": "a"}]},
    {**GOOD, "endpoint": "http://a.b", "http": {"allow_http": "yes"}},
    {**GOOD, "endpoint": "http://a.b", "http": {"allow_http": "no"}},
    {**GOOD, "follow": {"to": "accepted"}},
    {**GOOD, "follow": {"to": "accepted"}, "limits": {"in_flight": 1}},
    {**GOOD, "follow": {"to": "accepted"}, "limits": {"per_label": {"a": 1}}},
    {**GOOD, "follow": {"to": "accepted"}, "limits": {"per_instance": 1}},
    {**GOOD, "follow": {"to": "accepted"}, "waves": [{"name": "a", "soak": "1s"}]},
    {**GOOD, "follow": {"to": "accepted"}, "failures": {"mode": "strict"}},
    {**GOOD, "follow": {"to": "accepted"}, "failures": {"mode": "soft"}},
    {**GOOD, "freezes": [{"from": "2026-01-01", "timezone": "UTC"}]},
    {**GOOD, "windows": [{"from": "22:00", "to": "05:00"}]},
    {**GOOD, "unknown": 1},
]

#: Where the rest of an entry is needed for it to mean something.
AROUND: dict[str, dict[str, Any]] = {
    "waves": {"name": "first", "size": 1},
    "windows": {"from": "22:00", "to": "05:00", "timezone": "UTC"},
    "freezes": {"from": "2026-12-20", "to": "2026-12-20", "timezone": "UTC"},
    "proxies": {"instance_id": I1, "proxy_id": P1},
}


def with_value(place: str, value: Any) -> dict[str, Any]:
    first, *rest = place.split(".")
    if not rest:
        return {**GOOD, first: value}
    if rest[0] == "0":
        entries = [{**AROUND.get(first, {}), rest[1]: value}]
        return {**GOOD, first: [*entries, {"name": "rest"}] if first == "waves" else entries}
    inner = value if len(rest) == 1 else {rest[1]: value}
    return {**GOOD, first: {rest[0]: inner}}


def cases() -> Iterator[tuple[str, Any]]:
    for place, values in KINDS.items():
        for value in [*values, *OTHER]:  # without what only another key makes wrong: `expect.max` below `expect.min`
            yield place, value
    for date in DATES:  # both ends at once: which of them comes first is a rule that a schema cannot know
        yield "freezes", [{"from": date, "to": date, "timezone": "UTC"}]


def accepts(document: dict[str, Any], folder: Path) -> list[str]:
    file = folder / "plan.yaml"
    file.write_text(json.dumps(document), encoding="utf-8")
    try:
        load_plan(file)
    except PlanError as error:
        return str(error).splitlines()
    return []


def differing(documents: Iterator[tuple[Any, dict[str, Any]]], folder: Path) -> list[Any]:
    found = []
    for name, document in documents:
        refused = accepts(document, folder)
        if VALIDATOR.is_valid(document) is bool(refused):
            found.append((name, refused or "the schema alone refuses it"))
    return found


def test_they_agree_on_every_value_of_every_key(tmp_path: Path) -> None:
    documents = (((place, value), with_value(place, value)) for place, value in cases())
    assert differing(documents, tmp_path) == []


def test_they_agree_on_the_rules_between_keys(tmp_path: Path) -> None:
    assert differing(enumerate(WHOLE), tmp_path) == []


def test_every_zone_of_every_host_is_one_for_both() -> None:
    zones = {zone for zone in available_timezones() if zone not in ("localtime", "Factory")}
    validator = jsonschema.Draft202012Validator(TIMEZONE.json())
    assert [zone for zone in sorted(zones) if not validator.is_valid(zone) or TIMEZONE.parse(zone) != zone] == []


def test_a_misspelt_zone_is_guessed(refused: Callable[..., list[str]]) -> None:
    lines = refused("freezes: [{from: '2026-12-20', to: '2026-12-21', timezone: America/New York}]")
    assert lines[0].endswith('expected the name of a time zone such as America/New_York or UTC, got "America/New York"')


@pytest.mark.parametrize("file", sorted(PLANS.glob("*.yaml")), ids=lambda file: file.stem)
def test_our_own_plans_fit_also_as_yaml_1_1_reads_them(file: Path) -> None:
    """There `22:00` is a number, `2026-12-20` a date, and `no` is false."""
    VALIDATOR.validate(yaml.safe_load(file.read_text(encoding="utf-8")))
