"""A plan file becomes a Plan with every default filled in, or every problem is told at once, each with its place."""

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.errors import PlanError
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import (
    Failures,
    Follow,
    Freeze,
    Http,
    Limits,
    Metrics,
    Notify,
    Plan,
    Retry,
    Scope,
    Wave,
    Window,
)
from orchestrator.planner.plan_file.load import load_plan
from orchestrator.planner.plan_file.names import INSTANCE_ID
from orchestrator.planner.plan_file.overrides import CHANGEABLE

HEAD = """\
version: 1
region: cn-north-4
project_id: 054e292c9880d4992f02c0196d3ea468
target_version: 2.24.03.000
"""
Load = Callable[..., Plan]
Refused = Callable[..., list[str]]

WRONG_EVERYWHERE = """\
version: 2
regoin: cn-north-4
project_id: "054e292c"
target_version: 2.24.x
limits: {rate: fast, in_fligth: 3, concurrency: 0, concurrency: 4}
follow: {poll: 15}
waves: [{name: a}, {name: a}]
proxies:
  - {instance_id: 517, proxy: x}
"""


def test_the_smallest_plan_has_every_default(load: Load) -> None:
    plan = load()
    assert (plan.name, plan.target_version, plan.source_versions) == ("fleet", "2.24.03.000", ())
    assert plan.scopes == (Scope(name="default", region="cn-north-4", project_id="054e292c9880d4992f02c0196d3ea468"),)
    assert plan.waves == (Wave(name="canary", size=Amount(1), max_failures=Amount(0)), Wave(name="rest"))
    assert (plan.limits, plan.failures) == (Limits(), Failures())
    assert (plan.follow, plan.retry, plan.http) == (Follow(), Retry(), Http())
    assert (plan.windows, plan.freezes, plan.fit, plan.scopes_required) == ((), (), True, "any")
    assert [target.scope for target in plan.proxies] == ["default"]
    assert plan.written == {"version", "region", "project_id", "target_version", "proxies"}


def test_all_problems_are_told_at_once_in_the_order_of_the_file(refused: Refused) -> None:
    assert refused(head=WRONG_EVERYWHERE, proxies=0) == [
        "fleet.yaml:1:1: region: is required, for the endpoint comes from it (or write endpoint)",
        'fleet.yaml:1:10: version: expected 1, got "2"',
        "fleet.yaml:2:1: regoin: unknown key; did you mean region?",
        'fleet.yaml:3:13: project_id: expected a project id of 32 letters and digits, got "054e292c"',
        'fleet.yaml:4:17: target_version: expected a version such as 2.24.03.000, got "2.24.x"',
        'fleet.yaml:5:16: limits.rate: expected a rate such as 10/s, 300/min or 100/h, or auto, got "fast"',
        "fleet.yaml:5:22: limits.in_fligth: unknown key; did you mean in_flight?",
        'fleet.yaml:5:49: limits.concurrency: expected a whole number from 1 to 10,000, got "0"',
        "fleet.yaml:5:52: limits.concurrency: duplicate key; the first stands in line 5, column 36",
        'fleet.yaml:6:16: follow.poll: expected a duration with its unit, such as 15s or 15m, got "15"',
        "fleet.yaml:7:9: waves[0]: has neither size nor select, so nothing is left for the waves after it",
        "fleet.yaml:7:27: waves[1].name: another wave is called a too",
        "fleet.yaml:9:5: proxies[0].proxy_id: is required",
        f'fleet.yaml:9:19: proxies[0].instance_id: expected {INSTANCE_ID.expected}, got "517"',
        "fleet.yaml:9:24: proxies[0].proxy: unknown key; did you mean proxy_id?",
    ]


def test_every_key_reaches_the_plan(load: Load, tmp_path: Path) -> None:
    plan = load(
        """\
name: prod
source_version: 2.23.12.000
endpoint: https://gaussdb.example.com/
auth: {token_file: secrets/token}
scopes_required: all
inventory: more/fleet.csv
discover: [{instances: {name: "*orders", tags: {env: prod}}}]
exclude: [{labels: {app: wiki}}, {name: "*test*"}]
expect: {min: 0, max: 1_000}
waves:
  - {name: one, size: 10%, soak: 90m, max_failures: 0, approve: yes}
  - {name: two, select: {labels: {tier: silver}}, max_rejected: 50%}
  - {name: three}
limits: {concurrency: 2, rate: 300/min, in_flight: 5%, per_instance: 2, per_label: {app: 1}, ramp: off}
failures: {max: 3, counts: [failed], mode: soft, max_rejected: 0, new_reject: hold}
windows: [{days: [sun, sat], from: 22:00, to: 5:00, timezone: Asia/Shanghai}]
freezes: [{from: 2026-12-20, to: 2027-01-04, timezone: UTC}]
fit: false
follow: {to: completed, poll: 500ms, timeout: 2d, expected: 1.5h, verify_for: 0s}
retry: {attempts: 1, backoff: 2s, max_backoff: 2s, busy: 10s, busy_for: 1d, resend_after: 1h}
http: {connect_timeout: 1s, timeout: 10m, ca_file: ca.pem, allow_http: TRUE}
language: zh-cn
metrics: {textfile: prod.prom}
notify:
  - {command: [page, "--team", db]}
  - {webhook_env: HOOK, secret_env: KEY, on: [ended, first_reject]}
  - {ping_env: PING}
"""
    )
    assert plan.metrics == Metrics(textfile=str(tmp_path / "prod.prom"))
    assert plan.notify == (
        Notify(command=("page", "--team", "db"), on=("held", "approval", "person", "window_closes")),
        Notify(webhook_env="HOOK", secret_env="KEY", on=("ended", "first_reject")),
        Notify(ping_env="PING", on=()),
    )
    assert (plan.name, plan.source_versions, plan.scopes_required) == ("prod", ("2.23.12.000",), "all")
    assert plan.scopes[0].endpoint == "https://gaussdb.example.com"
    assert plan.scopes[0].auth.token_file == str(tmp_path / "secrets/token")
    assert plan.inventory == (str(tmp_path / "more/fleet.csv"),)
    assert (plan.discover[0].scope, plan.discover[0].instances.tags) == ("default", {"env": "prod"})
    assert [selector.name for selector in plan.exclude] == [None, "*test*"]
    assert (plan.expect.min, plan.expect.max) == (0, 1000)
    assert [wave.soak_s for wave in plan.waves] == [5400.0, 0.0, 0.0]
    assert plan.waves[1].select is not None
    assert plan.limits == Limits(
        concurrency=2, rate=5.0, in_flight=Amount(5, percent=True), per_instance=2, per_label={"app": 1}, ramp=False
    )
    assert plan.failures == Failures(
        max=Amount(3), counts=("failed",), mode="soft", max_rejected=Amount(0), new_reject="hold"
    )
    assert plan.windows == (Window(days=(5, 6), opens=1320, closes=300, timezone="Asia/Shanghai"),)
    assert plan.freezes == (Freeze(start="2026-12-20", end="2027-01-04", timezone="UTC"),)
    assert plan.follow == Follow(to="completed", poll_s=0.5, timeout_s=172_800, expected_s=5400, verify_for_s=0)
    assert plan.retry == Retry(
        attempts=1, backoff_s=2, max_backoff_s=2, busy_s=10, busy_for_s=86_400, resend_after_s=3600
    )
    assert plan.http == Http(connect_timeout_s=1, timeout_s=600, ca_file=str(tmp_path / "ca.pem"), allow_http=True)
    assert (plan.fit, plan.language) == (False, "zh-cn")
    assert {"limits.rate", "waves.soak", "auth.token_file"} <= plan.written


def test_several_scopes(load: Load) -> None:
    head = "version: 1\ntarget_version: 2.24.03.000\n"
    scopes = """\
scopes:
  bj4: {region: cn-north-4, rate: 5/s, max_failures: 1}
  sh1: {region: cn-east-3, auth: {user: u, domain: d, password_env: P}, max_rejected: 5%}
inventory: [a.csv]
"""
    plan = load(scopes, head=head, proxies=0)
    assert [(scope.name, scope.rate, scope.max_failures) for scope in plan.scopes] == [
        ("bj4", 5.0, Amount(1)),
        ("sh1", None, None),
    ]
    assert plan.scopes[1].auth.user == "u"


def test_quotes_never_change_a_meaning(load: Load) -> None:
    plain = "limits: {rate: 10/s, concurrency: 1_000, ramp: no}\nfollow: {poll: 1m}\nfailures: {max: 5%}\n"
    quoted = (
        'limits: {"rate": "10/s", concurrency: "1_000", ramp: "no"}\nfollow: {poll: \'1m\'}\nfailures: {max: "5%"}\n'
    )
    one, other = load(plain), load(quoted)
    assert (one.limits, one.follow, one.failures) == (other.limits, other.follow, other.failures)
    assert one.limits.concurrency == 1000


def test_labels_stay_the_text_that_was_written(load: Load) -> None:
    labels = "labels: {a: 1_000, b: no, c: 2.10, d: '', e: 22:00, f: ~}"
    text = f"proxies:\n  - {{instance_id: {'a' * 32}in07, proxy_id: {'b' * 32}po01, {labels}}}\n"
    plan = load(text, proxies=0)
    assert plan.proxies[0].labels == {"a": "1_000", "b": "no", "c": "2.10", "d": "", "e": "22:00", "f": "~"}


def test_following_to_acceptance_makes_the_mode_soft(load: Load) -> None:
    assert load("follow: {to: accepted}").failures.mode == "soft"


def test_equal_label_sets_share_one_object(load: Load) -> None:
    entries = "".join(
        f"  - {{instance_id: {number:032}in07, proxy_id: {number:032}po01, labels: {{app: x}}}}\n"
        for number in range(3)
    )
    plan = load("proxies:\n" + entries, proxies=0)
    assert plan.proxies[0].labels is plan.proxies[2].labels


def test_proxies_given_by_an_alias_are_read_like_others(load: Load) -> None:
    anchored = f"proxies: &all\n  - &one {{instance_id: {'a' * 32}in07, proxy_id: {'b' * 32}po01}}\n"
    assert len(load(anchored, proxies=0).proxies) == 1
    one = f"  - {{instance_id: {'c' * 32}in07, proxy_id: {'d' * 32}po01, labels: &l {{app: x}}}}\n"
    two = f"  - {{instance_id: {'c' * 32}in07, proxy_id: {'e' * 32}po01, labels: *l}}\n"
    assert [target.labels for target in load(f"proxies:\n{one}{two}", proxies=0).proxies] == [{"app": "x"}] * 2


def test_overrides_stand_in_for_what_the_file_says(load: Load) -> None:
    plan = load(
        "limits: {rate: 1/s, concurrency: 3}",
        overrides={"limits.rate": "10/s", "limits.per_label.app": "2", "follow": "{to: completed}", "fit": "no"},
    )
    assert (plan.limits.rate, plan.limits.concurrency, plan.limits.per_label) == (10.0, 3, {"app": 2})
    assert (plan.follow.to, plan.fit) == ("completed", False)
    assert "follow.to" in plan.written
    assert plan.set["limits.rate"] == "1.0 -> 10.0"
    assert plan.set["fit"] == "true -> false"
    assert "limits.concurrency" not in plan.set


def test_a_file_that_is_a_plan_only_with_an_override_says_nothing_of_it(load: Load) -> None:
    assert load("limits: {rate: soon}", overrides={"limits.rate": "2/s"}).set == {"limits.rate": "- -> 2/s"}


def test_an_override_leaves_what_shares_an_alias_alone(load: Load) -> None:
    plan = load(
        "waves:\n  - {name: a, size: 1, select: {labels: &m {app: 7}}}\n  - {name: b}\nlimits: {per_label: *m}",
        overrides={"limits.per_label.app": "2"},
    )
    assert plan.limits.per_label == {"app": 2}
    assert plan.waves[0].select is not None
    assert plan.waves[0].select.labels == {"app": "7"}


def test_what_is_wrong_with_an_override_names_the_option(refused: Refused) -> None:
    overrides = {"limits.rate": "5", "name": "x", "limts.rate": "1/s", "http.timeout": "[", "retry.atempts": "1"}
    assert refused(overrides=overrides) == [
        "--set: http.timeout: not readable as YAML: while parsing a flow node did not find expected node content",
        '--set: limits.rate: expected a rate such as 10/s, 300/min or 100/h, or auto, got "5"',
        "--set: limts.rate: cannot be set for a session; did you mean limits?",
        f"--set: name: cannot be set for a session; what can be set is {', '.join(CHANGEABLE)}",
        "--set: retry.atempts: unknown key; did you mean attempts?",
    ]


def test_files_that_are_no_plan(tmp_path: Path) -> None:
    def message(path: Path) -> str:
        with pytest.raises(PlanError) as caught:
            load_plan(path)
        return str(caught.value)

    assert "no such plan file" in message(tmp_path / "missing.yaml")
    assert "is a folder" in message(tmp_path)
    (tmp_path / "under").write_text("x")
    assert "cannot be read" in message(tmp_path / "under" / "plan.yaml")
    for text, says in (
        (b"", "is empty"),
        (b"[1]", "expected keys"),
        (b"a: \xff", ":1:4: not UTF-8"),
        (b"a: [", ":2:1: "),
    ):
        (tmp_path / "bad.yaml").write_bytes(text)
        assert says in message(tmp_path / "bad.yaml")


def test_a_file_name_that_cannot_be_a_folder_needs_a_name(tmp_path: Path) -> None:
    text = HEAD + "inventory: a.csv\n"
    for stem in ("my plan", "simulated", "-x"):
        file = tmp_path / f"{stem}.yaml"
        file.write_text(text)
        with pytest.raises(PlanError, match="write a name of your own"):
            load_plan(file)
        file.write_text(text + "name: good\n")
        assert load_plan(file).name == "good"
