"""Fault profiles: what the built-in ones promise, and profiles from files."""

from collections import Counter
from pathlib import Path

import pytest
from fakes.virtual_cloud import TARGET, VirtualCloud
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.simulator.config import SimulatorConfig
from orchestrator.simulator.profile import Profile
from orchestrator.simulator.profiles import NONE, SettingError, profile_from_yaml, profile_of, with_regressions


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), instances=st.integers(10, 40))
def test_light_shows_every_common_outcome_and_leaves_nobody_in_doubt(seed: int, instances: int) -> None:
    cloud = VirtualCloud("light", seed=seed, instances=instances)
    seen: Counter[str] = Counter()
    reasons = set()
    for proxy in cloud.proxies:
        if cloud.current(proxy) == TARGET:
            seen["already"] += 1
            continue
        reply = cloud.upgrade(proxy)
        assert reply.status == 200
        entries = reply.json()["update_result"]
        seen["+".join(entry["state"] for entry in entries)] += 1
        if entries[0]["state"] == "REJECT":
            reasons.add(entries[0]["error_message"])
            continue
        cloud.wait(3600)
        seen[cloud.job(entries[0]["workflow_id"]).json()["job"]["status"]] += 1
    size = len(cloud.proxies)
    assert seen["already"] == max(1, size // 20)
    assert seen["REJECT"] == max(1, int(size * 0.075))
    assert len(reasons) == min(4, seen["REJECT"])
    assert seen["ACCEPT+REJECT"] == seen["Failed"] == max(1, size // 40)
    assert set(seen) == {"already", "REJECT", "ACCEPT", "ACCEPT+REJECT", "Completed", "Failed"}


def test_light_leaves_small_fleets_alone() -> None:
    cloud = VirtualCloud("light", instances=1, proxies=1)
    assert cloud.upgrade(cloud.proxies[0]).json()["update_result"][0]["state"] == "ACCEPT"


def test_harsh_hits_with_nearly_everything() -> None:
    cloud = VirtualCloud("harsh", instances=400, proxies=1)
    for proxy in cloud.proxies:
        cloud.upgrade(proxy)
    assert len(cloud.cloud.books.faults) >= 27


def test_a_profile_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        """
        base: light
        rates: {upgrade: {lost_answer: 0.5}, read: {error_before: 0.1}}
        jobs: {end: {failed: 0.25}}
        limits: [{calls: 5, period_s: 60}]
        faults: [{call: upgrade, nth: 2, fault: lost_request}]
        fates: [{proxy_id: abc, fate: {end: hangs}}]
        """
    )
    profile = profile_of(str(path))
    assert profile.name == str(path)
    assert profile.roles_exact
    assert profile.rates["upgrade"] == {"lost_answer": 0.5}
    assert profile.limits[0].calls == 5
    assert profile.fates[0].fate.end == "hangs"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rates: [", "mine.yaml: not valid YAML"),
        ("- a", "mine.yaml: expected a mapping of fault settings, got list"),
        ("base: mild", "mine.yaml: base: expected one of none, light, harsh, got 'mild'"),
        ("rats: {}", "mine.yaml: Object contains unknown field `rats`"),
        ("rates: {upgrade: {lost_answr: 0.1}}", "mine.yaml: Invalid enum value 'lost_answr'"),
        ("rates: {upgrade: {lost_answer: 2}}", "at `$.rates[...][...]`"),
        ("rates: {upgrade: {lost_answer: 0.6, busy: 0.6}}", "mine.yaml: the shares of rates.upgrade add up to more"),
        ("rates: {read: {busy: 0.1}}", "mine.yaml: rates.read: busy can only be under rates.upgrade"),
        ("faults: [{call: job, fault: busy}]", "mine.yaml: faults: busy can only hit the call upgrade, not job"),
        ("jobs: {end: {explodes: 0.1}}", "mine.yaml: Invalid enum value 'explodes'"),
        ("timing: {node_s: -1}", "at `$.timing.node_s`"),
        ("events: {from_s: 100}", "at `$.events.from_s`; write [least, most], also where they are the same"),
        ("timing: {unwell_s: [100]}", "at `$.timing.unwell_s`; write [least, most], also where they are the same"),
    ],
)
def test_what_is_wrong_with_a_profile_is_said(text: str, message: str) -> None:
    with pytest.raises(SettingError) as caught:
        profile_from_yaml(text, "mine.yaml")
    assert message in str(caught.value)


def test_a_profile_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="neither one of none, light, harsh nor a readable file"):
        profile_of(str(tmp_path / "mild"))
    (tmp_path / "big").write_bytes(b"#" * 1_000_001)
    with pytest.raises(SettingError, match="larger than"):
        profile_of(str(tmp_path / "big"))
    (tmp_path / "latin").write_bytes(b"name: \xe4")
    with pytest.raises(SettingError, match="not UTF-8"):
        profile_of(str(tmp_path / "latin"))


def test_a_profile_may_be_given_as_such() -> None:
    profile = Profile()
    assert profile_of(profile) is profile


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"speed": 0}, "speed: expected a number above 0"),
        ({"speed": float("inf")}, "speed"),
        ({"port": 70_000}, "port: expected 0 to 65535"),
        ({"instances": -1}, "instances"),
        ({"proxies": 5}, "proxies: an instance has 0 to 4"),
        ({"regions": ()}, "regions"),
        ({"target_version": "newest"}, "target_version: not a version"),
        ({"project_id": "x"}, "project_id: expected 32 letters and digits"),
        ({"user": "bot"}, "user and password belong together"),
        ({"access_key": "AK"}, "access_key and secret_key belong together"),
    ],
)
def test_settings_that_no_cloud_can_have(settings_: dict[str, object], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        SimulatorConfig(**settings_)  # type: ignore[arg-type]


def test_regressions_are_added_to_those_of_the_profile() -> None:
    known = profile_from_yaml("metrics: {regressions: [{metric: queries, factor: 0.9, version: 2.24.03.000}]}", "x")
    slower = with_regressions(known, ["response=+20%@2.24.03.000", "connections=-5.5%@2.23"])
    told = [(each.metric, round(each.factor, 6), each.version) for each in slower.metrics.regressions]
    assert told == [("queries", 0.9, "2.24.03.000"), ("response", 1.2, "2.24.03.000"), ("connections", 0.945, "2.23")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "response",
        "response=20%@2.24",
        "response=+20@2.24",
        "response=+\uff120%@2.24",
        "latency=+20%@2.24",
        "response=+20%@new",
    ],
)
def test_a_regression_of_another_form_is_told_with_an_example(text: str) -> None:
    with pytest.raises(SettingError, match=r"response=\+20%@2\.24\.03\.000"):
        with_regressions(NONE, [text])


@pytest.mark.parametrize("text", ["response=-150%@2.24.03.000", "response=-100.5%@2.24.03.000"])
def test_no_metric_is_below_nothing(text: str) -> None:
    with pytest.raises(SettingError, match="regression: response="):
        with_regressions(NONE, [text])
