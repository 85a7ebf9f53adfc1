"""Every rule of a plan, each with a plan that breaks it. The line of the message is where a person would change it."""

from collections.abc import Callable

import pytest

from orchestrator.model.plan.plan import Plan

HEAD = """\
version: 1
region: cn-north-4
project_id: 054e292c9880d4992f02c0196d3ea468
target_version: 2.24.03.000
"""
Load = Callable[..., Plan]
Refused = Callable[..., list[str]]

NO_WHERE = "version: 1\ntarget_version: 2.24.03.000\n"
SCOPES = "scopes: {bj4: {region: cn-north-4}, sh1: {region: cn-east-3}}\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("limits: {concurrency: 10_001}", "limits.concurrency: expected a whole number from 1 to 10,000"),
        ("limits: {concurrency: ten}", "limits.concurrency: expected a whole number"),
        ("limits: {concurrency: 1.5}", "limits.concurrency: expected a whole number"),
        ("limits: {concurrency: ٣}", "limits.concurrency: expected a whole number"),
        ("limits: {rate: 0/s}", "limits.rate: expected a rate above 0"),
        ("limits: {rate: -1/s}", "limits.rate: expected a rate such as"),
        ("limits: {rate: \uff15/s}", 'got "\uff15/s"; it has characters that only look like "5/s"'),
        ("follow: {poll: \uff15\uff53}", 'got "\uff15\uff53"; it has characters that only look like "5s"'),
        ("failures: {max: \u20131}", 'got "\u20131"; it has characters that only look like "-1"'),
        ("limits: {in_flight: .5}", "limits.in_flight: expected a number such as 10, or a percentage such as 10%, got"),
        ("limits: {rate: 1/d}", "limits.rate: expected a rate such as"),
        ("limits: {rate: 2}", "limits.rate: expected a rate such as"),
        ("limits: {rate: [1/s]}", "limits.rate: expected a rate such as 10/s, 300/min or 100/h, or auto, got a list"),
        ("limits: {in_flight: 0}", "limits.in_flight: expected a number from 1"),
        ("limits: {in_flight: 0%}", "limits.in_flight: expected a percentage above 0%"),
        ("limits: {in_flight: 101%}", "limits.in_flight: expected a percentage above 0% and up to 100%"),
        ("limits: {in_flight: 1.5}", "limits.in_flight: expected a number such as 10"),
        ("limits: {per_label: {app: 0}}", "limits.per_label.app: expected a whole number"),
        ("limits: {per_label: 3}", 'limits.per_label: expected names and values, got "3"'),
        ("limits: {ramp: maybe}", "limits.ramp: expected true or false"),
        ("limits: fast", 'limits: expected keys such as concurrency, got "fast"'),
        ("limits: {in-flight: 2}", "limits.in-flight: unknown key; did you mean in_flight?"),
        ("failures: {max: 100.5%}", "failures.max: expected a percentage from 0% to 100%"),
        ("failures: {counts: []}", "failures.counts: expected at least 1 entry"),
        ("failures: {counts: [failed, failed]}", "failures.counts[1]: is in the list twice"),
        ("failures: {counts: failed}", 'failures.counts: expected a list, got "failed"'),
        ("failures: {counts: [bad]}", "failures.counts[0]: expected failed or timed_out"),
        ("failures: {mode: loose}", "failures.mode: expected strict or soft"),
        ("follow: {poll: 0s}", "follow.poll: expected a duration from 10ms to 1h"),
        ("follow: {poll: 15 s}", "follow.poll: expected a duration such as"),
        ("follow: {timeout: 8d}", "follow.timeout: expected a duration from 1s to 7d"),
        ("follow: {expected: 61m}", "follow.expected: expected (61m) is above timeout (1h)"),
        ("follow: {timeout: 5m}", "follow.timeout: expected (10m) is above timeout (5m)"),
        ("follow: {to: done}", "follow.to: expected accepted or completed or verified"),
        ("retry: {backoff: 2m}", "retry.backoff: backoff (2m) is above max_backoff (1m)"),
        ("retry: {attempts: 0}", "retry.attempts: expected a whole number from 1 to 100"),
        ("expect: {min: 5, max: 4}", "expect.max: is below min (5)"),
        ("expect: {max: 0}", "expect.max: is below min (1)"),
        ("windows: never", 'windows: expected always or instance or a list, got "never"'),
        ("windows: []", "windows: expected at least 1 entry"),
        ("windows: [{from: 22:00, to: 24:01, timezone: UTC}]", 'windows[0].to: expected a time such as "22:00"'),
        ("windows: [{from: 22:00, to: 05:00}]", "windows[0].timezone: is required"),
        ("windows: [{days: [sunday], from: 1:00, to: 2:00, timezone: UTC}]", "windows[0].days[0]: expected a day"),
        ("windows: [{from: 1:00, to: 2:00, timezone: Mars/Olympus}]", "windows[0].timezone: expected the name of a"),
        ("windows: [{from: 1:00, to: 2:00, timezone: ../../etc/passwd}]", "windows[0].timezone: expected the name"),
        ("freezes: [{from: 2026-02-30, to: 2026-03-01, timezone: UTC}]", "freezes[0].from: expected a day of the"),
        ("freezes: [{from: 20261220, to: 2026-12-24, timezone: UTC}]", "freezes[0].from: expected a date such as"),
        ("freezes: [{from: 2026-12-24, to: 2026-12-20, timezone: UTC}]", "freezes[0].to: is before from (2026-12-24)"),
        ("waves: []", "waves: expected at least 1 entry"),
        ("waves: [{size: 1}]", "waves[0].name: is required"),
        ("waves: [{name: a, size: 0}]", "waves[0].size: expected a number from 1"),
        ("waves: [{name: a, select: {}}, {name: b}]", "waves[0].select: is empty, and would match every target"),
        ("waves: [{name: a, select: {scope: x}}, {name: b}]", "waves[0].select.scope: no scope is called x"),
        ("waves: [{name: a b}]", "waves[0].name: expected a name of at most 64"),
        ("waves: [{name: a}, {name: b, size: 1}]", "waves[0]: has neither size nor select"),
        ("exclude: [{}]", "exclude[0]: is empty, and would match every target"),
        ("exclude: [{scope: x}]", "exclude[0].scope: no scope is called x; the plan has no scopes"),
        ("exclude: [{proxy_id: x}]", "exclude[0].proxy_id: expected a proxy id"),
        ("source_version: 2.25.01.000", "source_version: 2.25.01.000 is newer than target_version 2.24.03.000"),
        ("source_version: [2.23, 2.23]", "source_version[1]: is in the list twice"),
        ("source_version: []", "source_version: expected at least 1 entry"),
        ("inventory: fleet.xlsx", "inventory: expected a file ending in .csv, .ndjson or .jsonl"),
        ("endpoint: gaussdb.example.com", "endpoint: expected an address such as https://"),
        ("endpoint: https://x.example.com/v3", "endpoint: expected an address"),
        ("endpoint: http://gaussdb.example.com", "endpoint: plain http would send credentials unencrypted"),
        ("endpoint: http://127.0.0.1.example.com", "endpoint: plain http would send"),
        ("iam_endpoint: http://10.0.0.1:80", "iam_endpoint: plain http would send"),
        ("name: ../x", "name: expected a name of at most 64"),
        ("name: Simulated", "name: is the name of the folder in which simulated runs are kept"),
        ("language: de", "language: expected en-us or zh-cn"),
        ("auth: {expect: 1}", "auth.expect: unknown key here; it belongs to the top level, so it is indented too far"),
        ("rate: 5/s", "rate: unknown key here; it belongs to scopes.NAME or limits"),
        ("waves: [{name: a, in_flight: 3}]", "waves[0].in_flight: unknown key here; it belongs to limits"),
        ("waves: [{name: a, count: 3}]", "waves[0].count: unknown key; did you mean size?"),
        ("waves: [{name: a, pause: 3m}]", "waves[0].pause: unknown key; did you mean soak?"),
        ("bananas: 1", "bananas: unknown key; known are version, name, target_version"),
        ("fit: true\nfit: true", "fit: duplicate key; the first stands in line 5, column 1"),
        ("discover: [{scope: x}]", "discover[0].scope: no scope is called x"),
        ("discover: [{instances: {ids: [x]}}]", "discover[0].instances.ids[0]: expected an instance id"),
    ],
)
def test_a_broken_rule_is_told(refused: Refused, text: str, says: str) -> None:
    lines = refused(text)
    assert len(lines) == 1, lines
    assert says in lines[0]
    assert lines[0].startswith(("fleet.yaml:5:", "fleet.yaml:6:"))


@pytest.mark.parametrize(
    ("auth", "says"),
    [
        ("{token_env: A, profile: b}", "credentials come one way only, and here are several"),
        ("{token_env: A, token_file: b}", "auth.token_file: a token comes from one place; token_env is set too"),
        ("{user: u, domain: d}", "auth.password_env: a password login needs password_env"),
        ("{user: u, password_env: P}", "auth.domain: is required for a password login"),
        ("{user: u, domain: d, password_env: P, password_file: f}", "auth.password_file: a password comes from one"),
        ("{access_key_env: A}", "auth.secret_key_env: is required; access key and secret key belong together"),
        ("{agency: false}", "auth.agency: is either true or left out"),
        ("{token_command: prog}", "auth.token_command: expected a list"),
    ],
)
def test_credentials_come_one_way(refused: Refused, auth: str, says: str) -> None:
    lines = refused(f"auth: {auth}")
    assert len(lines) == 1, lines
    assert says in lines[0]


@pytest.mark.parametrize(
    "text",
    [
        "password: hunter2",
        "auth: {token: hunter2}",
        "auth: {secret_key: hunter2}",
        "auth: {X-Auth-Token: hunter2}",
        "auth: {token_env: hunter2+hunter2/=}",
        "auth: hunter2",
        "auth: {user: [hunter2], domain: d, password_env: P}",
        "endpoint: https://user:hunter2@example.com",
    ],
)
def test_a_secret_in_a_plan_is_refused_and_never_repeated(refused: Refused, text: str) -> None:
    lines = refused(text)
    assert "hunter2" not in "".join(lines)
    if "token_env" not in text and "user" not in text and "auth: hunter2" not in text:
        assert "a plan holds no secrets" in lines[0]


@pytest.mark.parametrize("key", ["region: cn-north-4", "project_id: 054e292c9880d4992f02c0196d3ea468", "auth: {}"])
def test_one_scope_at_the_top_or_several_by_name_not_both(refused: Refused, key: str) -> None:
    lines = refused(f"{SCOPES}inventory: a.csv\n{key}", head=NO_WHERE, proxies=0)
    assert len(lines) == 1
    assert f"{key.split(':', maxsplit=1)[0]}: stands beside scopes; write it into each scope" in lines[0]


def test_a_target_names_a_scope_that_exists(refused: Refused, load: Load) -> None:
    assert "proxies[0].scope: is required, for the plan has scopes: bj4, sh1 (and 2 more" in "".join(
        refused(SCOPES, head=NO_WHERE, proxies=3)
    )
    entry = f"proxies: [{{scope: nope, instance_id: {'a' * 32}in07, proxy_id: {'b' * 32}po01}}]\n"
    assert "no scope is called nope; there are bj4, sh1" in refused(SCOPES + entry, head=NO_WHERE, proxies=0)[0]
    assert "the plan has no scopes, so leave the key out" in refused(entry, proxies=0)[0]
    assert load(entry.replace("nope", "default"), proxies=0).proxies[0].scope == "default"
    assert load(SCOPES + entry.replace("nope", "sh1"), head=NO_WHERE, proxies=0).proxies[0].scope == "sh1"


def test_scopes_of_one_rate_name_the_same_hosts(refused: Refused, load: Load) -> None:
    text = """\
scopes:
  one: {region: cn-north-4, hosts: ["bj-*", sh-1]}
  other: {endpoint: https://gaussdb.cn-north-4.myhuaweicloud.com/, project_id: 054e292c9880d4992f02c0196d3ea468, HOSTS}
  apart: {region: cn-north-4, auth: {profile: night}, hosts: [x]}
  far: {region: cn-east-3}
inventory: a.csv
"""
    why = "scope one has the same endpoint and credentials, so they share a rate; let both name the same hosts"
    found = refused(text.replace("HOSTS", "hosts: [bj-1]"), head=NO_WHERE, proxies=0)
    assert [line.partition(":")[2] for line in found] == [f"5:121: scopes.other.hosts: {why}"]
    found = refused(text.replace("HOSTS", "rate: 1/s"), head=NO_WHERE, proxies=0)
    assert [line.partition(":")[2] for line in found] == [f"5:10: scopes.other.hosts: {why}"]
    plan = load(text.replace("HOSTS", 'hosts: [sh-1, "bj-*"]'), head=NO_WHERE, proxies=0)
    assert [scope.hosts for scope in plan.scopes] == [("bj-*", "sh-1"), ("sh-1", "bj-*"), ("x",), ()]


APART = """\
scopes:
  here: {region: cn-north-4@1}
  there: {region: cn-east-3@2}
inventory: a.csv
gates:
  - {name: slow, cloud_eye: {metric: rds_proxy_average_response_time, max: 30}@3}
"""


@pytest.mark.parametrize(
    ("here", "there", "select", "unseen"),
    [
        ("", ", hosts: [sh-1]", "", "there"),
        (", hosts: [bj-1]", ", hosts: [sh-1]", "", "here"),
        (", hosts: [bj-1]", ", hosts: [sh-1]", ", select: {scope: there}", "there"),
        ("", ", hosts: [sh-1]", ", select: {labels: {app: a}}", "there"),
        ("", ", hosts: [sh-1]", ", select: {scope: here}", None),
        (", hosts: [x, y]", ", hosts: [y, x]", "", None),
        ("", "", "", None),
    ],
)
def test_a_gate_that_could_have_no_metrics_of_a_scope_is_refused(
    refused: Refused, load: Load, here: str, there: str, select: str, unseen: str | None
) -> None:
    text = APART.replace("@1", here).replace("@2", there).replace("@3", select)
    if unseen is None:
        assert load(text, head=NO_WHERE, proxies=0).gates
        return
    (found,) = refused(text, head=NO_WHERE, proxies=0)
    assert f"gates[0].cloud_eye: has no metrics of scope {unseen} where the host that decides" in found


@pytest.mark.parametrize("hosts", ["[]", "[a b]", "['']", "[x, x]", "[a/b]", "['[ab]']"])
def test_what_can_be_no_name_of_hosts_is_refused(refused: Refused, hosts: str) -> None:
    lines = refused(
        f"scopes: {{s: {{region: cn-east-3, hosts: {hosts}}}}}\ninventory: a.csv\n", head=NO_WHERE, proxies=0
    )
    assert len(lines) == 1
    assert "scopes.s.hosts" in lines[0]


def test_a_discovery_needs_a_scope_where_there_are_several(refused: Refused) -> None:
    lines = refused(SCOPES + "discover: [{}]", head=NO_WHERE, proxies=0)
    assert "discover[0].scope: is required, for the plan has scopes: bj4, sh1" in lines[0]


def test_a_scope_must_be_findable(refused: Refused, load: Load) -> None:
    assert "region: is required, for the endpoint comes from it" in refused(head=NO_WHERE)[0]
    assert "region: is required, for the project id" in refused("endpoint: https://x.example.com", head=NO_WHERE)[0]
    text = "endpoint: https://x.example.com\nproject_id: 054e292c9880d4992f02c0196d3ea468"
    assert load(text, head=NO_WHERE).scopes[0].region is None
    assert "scopes: expected at least 1 entry" in refused("scopes: {}", head=NO_WHERE)[0]
    assert "scopes.a b: expected a name" in refused("scopes: {a b: {region: x-y}}", head=NO_WHERE)[0]


def test_a_plan_names_targets(refused: Refused, load: Load) -> None:
    assert "the plan names no targets; write proxies, inventory or discover" in refused(proxies=0)[0]
    assert load("discover: [{}]", proxies=0).discover[0].scope == "default"


def test_the_same_proxy_twice_names_both_places(refused: Refused) -> None:
    one = f"  - {{instance_id: {'a' * 32}in07, proxy_id: {'b' * 32}po01}}\n"
    lines = refused(f"proxies:\n{one}{one}", proxies=0)
    assert len(lines) == 1
    assert lines[0].startswith("fleet.yaml:7:")
    assert f"proxies[1].proxy_id: {'b' * 32}po01 is listed twice, first in line 6" in lines[0]


def test_a_source_version_of_a_proxy_may_not_be_newer(refused: Refused) -> None:
    one = f"  - {{instance_id: {'a' * 32}in07, proxy_id: {'b' * 32}po01, source_version: 2.24.03.001}}\n"
    assert "proxies[0].source_version: 2.24.03.001 is newer than" in refused(f"proxies:\n{one}", proxies=0)[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("limits: {in_flight: 3}", "limits.in_flight: has no meaning with follow.to: accepted"),
        ("limits: {per_label: {app: 1}}", "limits.per_label: has no meaning"),
        ("waves: [{name: a, size: 1, soak: 1m}, {name: b}]", "waves[0].soak: has no meaning"),
        ("failures: {mode: strict}", "failures.mode: strict has no meaning"),
    ],
)
def test_following_to_acceptance_refuses_what_needs_more(refused: Refused, text: str, says: str) -> None:
    lines = refused(f"follow: {{to: accepted}}\n{text}")
    assert len(lines) == 1
    assert says in lines[0]


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1:1", "[::1]:99", "127.3.2.1"])
def test_plain_http_to_this_machine_is_fine(load: Load, host: str) -> None:
    assert load(f"endpoint: http://{host}").scopes[0].endpoint == f"http://{host}"


def test_plain_http_can_be_allowed(load: Load) -> None:
    assert load("endpoint: http://10.0.0.1\nhttp: {allow_http: true}").http.allow_http


def test_version_one_is_required(refused: Refused) -> None:
    assert "version: is required" in refused(head=HEAD.replace("version: 1\n", "", 1))[0]
    assert "target_version: is required" in refused(head=HEAD.replace("target_version: 2.24.03.000\n", ""))[0]


def test_many_problems_are_cut_with_their_count(refused: Refused) -> None:
    lines = refused("proxies:\n" + "  - {instance_id: x}\n" * 300, proxies=0)
    assert len(lines) == 101
    assert lines[-1] == "fleet.yaml: and 500 more problems"
