"""What may change between sessions, and what needs a new run."""

from pathlib import Path
from typing import Any

import pytest
from fakes.recorded import make_plan, make_targets, run_started
from msgspec.structs import replace

from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.auth import Auth
from orchestrator.model.plan.plan import (
    Discover,
    Expect,
    Failures,
    Follow,
    Http,
    Limits,
    Plan,
    Retry,
    Scope,
    Wave,
    Window,
)
from orchestrator.model.plan.selection import Selector
from orchestrator.model.plan.settings import changes_between, in_force, settings_changed, settings_of
from orchestrator.tracker.folder.run_folder import create_run, load_settings, save_settings

TARGETS = make_targets(3)
PLAN = make_plan(TARGETS)
SCOPE = PLAN.scopes[0]


def scoped(**changes: Any) -> Plan:
    return replace(PLAN, scopes=(replace(SCOPE, **changes),))


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (replace(PLAN, target_version="2.25"), ["target_version: was", "2.25"]),
        (replace(PLAN, source_versions=("2.23",)), ["source_version: was [], is"]),
        (replace(PLAN, proxies=tuple(TARGETS[1:])), [f"proxies: {TARGETS[0].proxy_id} removed"]),
        (replace(PLAN, proxies=tuple(make_targets(9))), ["and 3 more added"]),
        (replace(PLAN, proxies=tuple(reversed(TARGETS))), ["in another order"]),
        (replace(PLAN, inventory=("/f.csv",)), ["inventory: was [], is", "/f.csv"]),
        (replace(PLAN, discover=(Discover(scope="default"),)), ["discover"]),
        (replace(PLAN, exclude=(Selector(scope="default"),)), ["exclude"]),
        (replace(PLAN, expect=Expect(max=5)), ["expect"]),
        (replace(PLAN, waves=PLAN.waves[:1]), ["waves: were canary, rest, are canary"]),
        (replace(PLAN, waves=(PLAN.waves[0], Wave(name="rest", soak_s=5.0))), ["waves: changed: rest"]),
        (scoped(name="other"), ["scopes: were default, are other"]),
        (scoped(region="eu"), ["scopes.default.region: was cn-north-4, is eu"]),
        (scoped(project_id="q"), ["scopes.default.project_id: was p-default, is q"]),
        (scoped(endpoint="https://x"), ["scopes.default.endpoint: was left to be found out, is https://x"]),
    ],
)
def test_what_needs_a_new_run_is_named_in_the_words_of_the_plan(now: Plan, words: list[str]) -> None:
    changes = changes_between(PLAN, now)
    assert len(changes) == 1
    assert all(word in changes[0] for word in words), changes


MAY_CHANGE = [
    replace(PLAN, limits=Limits(concurrency=3)),
    replace(PLAN, failures=Failures(mode="soft")),
    replace(PLAN, windows="instance"),
    replace(PLAN, windows=(Window(opens=0, closes=60, timezone="UTC"),)),
    replace(PLAN, fit=False),
    replace(PLAN, follow=Follow(poll_s=30.0)),
    replace(PLAN, retry=Retry(attempts=2)),
    replace(PLAN, http=Http(timeout_s=10.0)),
    scoped(auth=Auth(token_env="X")),
    scoped(rate=5.0),
    scoped(max_failures=Amount(2)),
    scoped(iam_endpoint="https://iam"),
    scoped(hosts=("bj-*",)),
]


@pytest.mark.parametrize("now", MAY_CHANGE)
def test_what_may_change_needs_no_new_run_is_recorded_and_comes_into_force(now: Plan) -> None:
    assert changes_between(PLAN, now) == []
    assert len(settings_changed(PLAN, now)) == 1
    assert in_force(PLAN, settings_of(now)) == now


@pytest.mark.parametrize(
    ("now", "changed"),
    [
        (replace(PLAN, limits=Limits(concurrency=3)), {"limits.concurrency": "10 -> 3"}),
        (replace(PLAN, limits=Limits(in_flight=Amount(5, percent=True))), {"limits.in_flight": "10 -> 5%"}),
        (replace(PLAN, follow=Follow(poll_s=30.0)), {"follow.poll": "15s -> 30s"}),
        (replace(PLAN, fit=False), {"fit": "true -> false"}),
        (scoped(rate=5.0), {"scopes.default.rate": "null -> 5.0"}),
    ],
)
def test_changes_are_told_by_dotted_key(now: Plan, changed: dict[str, str]) -> None:
    assert settings_changed(PLAN, now) == changed


def test_nothing_changed_when_only_bytes_path_or_written_keys_did() -> None:
    now = replace(PLAN, sha256="1" * 64, path="/elsewhere.yaml", written=frozenset({"limits"}))
    assert changes_between(PLAN, now) == []
    assert settings_changed(PLAN, now) == {}


def test_ids_that_the_plan_leaves_to_be_found_out_are_no_change() -> None:
    found = replace(PLAN, scopes=(replace(SCOPE, endpoint="https://found"),))
    assert changes_between(found, scoped(project_id=None)) == []


def test_the_settings_of_the_latest_session_stay(tmp_path: Path) -> None:
    folder, journal = create_run(tmp_path, PLAN, TARGETS, run_started(3))
    journal.close()
    now = replace(PLAN, limits=Limits(concurrency=3), windows="instance")
    save_settings(folder, settings_of(now))
    assert in_force(PLAN, load_settings(folder)) == now


def test_settings_of_a_scope_that_is_no_more_are_left_aside() -> None:
    other = replace(PLAN, scopes=(Scope(name="other", rate=9.0),))
    assert in_force(PLAN, settings_of(other)).scopes == PLAN.scopes
