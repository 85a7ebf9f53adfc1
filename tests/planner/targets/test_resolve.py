"""Targets from all sources come together, without doubles, without the excluded, in the number that is expected."""

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.errors import ExitCode, PlanError
from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.target import Facts, Target
from orchestrator.planner.targets.resolve import ExpectNotMet, resolve_targets

Load = Callable[..., Plan]
Ids = Callable[[int], str]


@pytest.fixture
def inventory(tmp_path: Path, instance_id: Ids, proxy_id: Ids) -> Callable[..., None]:
    def write(name: str, *numbers: int) -> None:
        rows = "".join(f"{instance_id(number)},{proxy_id(number)},app{number}\n" for number in numbers)
        (tmp_path / name).write_text("instance_id,proxy_id,app\n" + rows)

    return write


def test_plan_order_is_written_then_inventory_then_discovered(
    load: Load, inventory: Callable[..., None], instance_id: Ids, proxy_id: Ids
) -> None:
    inventory("a.csv", 10, 9)
    inventory("b.csv", 8)
    plan = load("inventory: [b.csv, a.csv]", proxies=2)
    found = Target(scope="default", instance_id=instance_id(5), proxy_id=proxy_id(5))
    resolved = resolve_targets(plan, [found])
    assert [int(target.proxy_id[:32], 16) for target in resolved.targets] == [0, 1, 8, 10, 9, 5]


def test_a_proxy_that_is_there_twice_is_an_error_naming_both_places(
    load: Load, inventory: Callable[..., None], tmp_path: Path, instance_id: Ids, proxy_id: Ids
) -> None:
    inventory("a.csv", 7, 1)
    inventory("b.csv", 7)
    plan = load("inventory: [a.csv, b.csv]", proxies=2)
    found = Target(scope="default", instance_id=instance_id(0), proxy_id=proxy_id(0))
    with pytest.raises(PlanError) as caught:
        resolve_targets(plan, [found])
    assert str(caught.value).replace(f"{tmp_path}/", "").splitlines() == [
        f"fleet.yaml: proxy {proxy_id(1)} is listed twice: proxies[1] and a.csv:3",
        f"fleet.yaml: proxy {proxy_id(7)} is listed twice: a.csv:2 and b.csv:2",
        f"fleet.yaml: proxy {proxy_id(0)} is listed twice: proxies[0] and discover",
    ]


def test_problems_of_all_inventories_are_told_at_once(load: Load, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("instance_id,proxy_id\nx,y\n")
    with pytest.raises(PlanError) as caught:
        resolve_targets(load("inventory: [a.csv, b.ndjson]"))
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert f"{tmp_path}/b.ndjson:1: cannot be read" in lines[2]


def test_excluded_targets_are_left_out_and_known(load: Load, inventory: Callable[..., None]) -> None:
    inventory("a.csv", 7, 8, 9)
    plan = load("inventory: a.csv\nexclude: [{labels: {app: app9}}, {labels: {app: app7}}]", proxies=1)
    resolved = resolve_targets(plan)
    assert [target.labels.get("app") for target in resolved.targets] == [None, "app8"]
    assert [(each.target.labels["app"], each.entry) for each in resolved.excluded] == [("app7", 1), ("app9", 0)]


def test_excluding_by_a_fact_that_a_target_does_not_have_is_an_error(load: Load, proxy_id: Ids) -> None:
    plan = load('exclude: [{labels: {a: b}}, {name: "*test*"}]', proxies=3)
    with pytest.raises(PlanError) as caught:
        resolve_targets(plan)
    assert f"exclude[1].name: the name of proxy {proxy_id(0)} is not known" in str(caught.value)
    assert "(and 2 more proxies)" in str(caught.value)


def test_excluding_by_a_fact_of_discovered_targets(load: Load) -> None:
    plan = load('discover: [{}]\nexclude: [{name: "*test*"}]', proxies=0)
    found = [
        Target(scope="default", instance_id="i", proxy_id=str(number), facts=Facts(name=name))
        for number, name in enumerate(("prod", "my-test-1"))
    ]
    assert [target.proxy_id for target in resolve_targets(plan, found).targets] == ["0"]


@pytest.mark.parametrize(
    ("expect", "proxies", "says"),
    [
        ("{min: 3}", 2, "the plan has 2 targets, and expects at least 3"),
        ("{max: 1}", 2, "the plan has 2 targets, and expects 1 to 1"),
        (
            "{min: 1, max: 1}\nexclude: [{scope: default}]",
            2,
            "has 0 targets, after 2 were excluded, and expects 1 to 1",
        ),
    ],
)
def test_too_few_or_too_many_targets_stop_everything(load: Load, expect: str, proxies: int, says: str) -> None:
    with pytest.raises(ExpectNotMet, match=says) as caught:
        resolve_targets(load(f"expect: {expect}", proxies=proxies))
    assert caught.value.exit_code is ExitCode.SCOPE_UNUSABLE


def test_a_plan_whose_discovery_was_not_asked_for_may_have_fewer(load: Load) -> None:
    plan = load("discover: [{}]", proxies=0)
    assert resolve_targets(plan).targets == []
    with pytest.raises(ExpectNotMet):
        resolve_targets(plan, [])


def test_no_targets_are_fine_when_expected(load: Load) -> None:
    assert resolve_targets(load("expect: {min: 0}\nproxies: []", proxies=0)).targets == []
