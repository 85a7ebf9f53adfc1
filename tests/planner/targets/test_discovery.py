"""Which instances a discovery means, what the cloud is asked for, and what becomes of the rows."""

from typing import Any

import pytest

from orchestrator.model.plan.plan import InstanceFilter
from orchestrator.model.plan.target import Facts, Target
from orchestrator.planner.targets.discovery import Instance, batches, counted_once, learnt, targets_of
from orchestrator.planner.targets.instance_filter import Unanswered, passes, server_filters
from orchestrator.planner.targets.instance_row import (
    BadProxyId,
    ListedProxy,
    may_have_proxies,
    proxies_in_detail,
    proxies_in_list,
    tags_of,
)

A, B = f"{0xA:032x}in07", f"{0xB:032x}in07"
P, Q = f"{1:032x}po01", f"{2:032x}po01"


def row(**changes: Any) -> dict[str, Any]:
    return {
        "id": A,
        "name": "orders-prod-0001",
        "vpc_id": "v-1",
        "enterprise_project_id": "0",
        "tags": [{"key": "env", "value": "prod"}, {"key": "app", "value": "orders"}],
        "proxy_ips": ["10.0.0.1"],
        **changes,
    }


@pytest.mark.parametrize(
    ("pattern", "asked"),
    [
        ("orders", "orders"),
        ("*orders", "*orders"),
        ("orders*", "*orders"),
        ("a-*-production-*", "*-production-"),
        ("*", None),
        ("**", None),
    ],
)
def test_the_cloud_is_asked_for_a_name_as_far_as_it_can_search(pattern: str, asked: str | None) -> None:
    assert server_filters(InstanceFilter(name=pattern)).get("name") == asked


def test_the_cloud_is_asked_for_what_its_list_takes() -> None:
    wanted = InstanceFilter(name="x", tags={"env": "prod", "odd": "a,b", "empty": ""}, vpc_id="v", ids=(A,))
    assert server_filters(wanted) == {"name": "x", "tags": "env=prod", "vpc_id": "v"}
    assert server_filters(InstanceFilter(enterprise_project_id="0")) == {}


@pytest.mark.parametrize(
    ("pattern", "name", "meant"),
    [
        ("orders", "orders", True),
        ("orders", "orders-1", False),
        ("*orders", "my-orders-1", True),
        ("*orders*", "my-orders-1", True),
        ("orders*", "my-orders-1", False),
        ("my*1", "my-orders-1", True),
        ("my*2", "my-orders-1", False),
        ("*my*2", "my-orders-1", False),
        ("*", "anything", True),
        ("ORDERS", "orders", False),
    ],
)
def test_a_name_is_looked_at_again_here(pattern: str, name: str, *, meant: bool) -> None:
    assert passes(InstanceFilter(name=pattern), row(name=name)) is meant


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [
        (InstanceFilter(), True),
        (InstanceFilter(tags={"env": "prod", "app": "orders"}), True),
        (InstanceFilter(tags={"env": "prod", "app": "billing"}), False),
        (InstanceFilter(tags={"other": "x"}), False),
        (InstanceFilter(vpc_id="v-1"), True),
        (InstanceFilter(vpc_id="v-2"), False),
        (InstanceFilter(enterprise_project_id="0"), True),
        (InstanceFilter(enterprise_project_id="1"), False),
        (InstanceFilter(ids=(A,)), True),
        (InstanceFilter(ids=(B,)), False),
    ],
)
def test_every_condition_is_looked_at_here(wanted: InstanceFilter, *, meant: bool) -> None:
    assert passes(wanted, row()) is meant


def test_what_the_cloud_does_not_tell_is_neither_yes_nor_no() -> None:
    silent = row()
    del silent["tags"], silent["enterprise_project_id"]
    with pytest.raises(Unanswered, match="tags and enterprise_project_id"):
        passes(InstanceFilter(tags={"env": "prod"}, enterprise_project_id="0"), silent)
    assert not passes(InstanceFilter(tags={"env": "prod"}, vpc_id="v-2"), silent), "another condition settles it"


def test_tags_in_every_form() -> None:
    assert tags_of({"tags": [{"key": "a", "value": "1"}, {"key": "b", "value": None}, {"key": "n", "value": 7}]}) == {
        "a": "1",
        "b": "",
        "n": "7",
    }
    assert tags_of({"tags": None}) == {}
    assert tags_of({}) is None


@pytest.mark.parametrize(("addresses", "may"), [([], False), ("", False), (["10.0.0.1"], True), (None, True)])
def test_only_an_empty_list_of_addresses_says_that_there_is_no_proxy(addresses: Any, *, may: bool) -> None:
    assert may_have_proxies({"proxy_ips": addresses}) is may
    assert may_have_proxies({})


def test_a_proxy_that_the_details_list_twice_counts_once() -> None:
    listed = [{"pool_id": P, "name": "rw"}, {"pool_id": Q}, {"pool_id": P, "name": "rw"}]
    assert proxies_in_detail(row(proxies=listed)) == (ListedProxy(P, "rw"), ListedProxy(Q, None))
    assert proxies_in_detail(row(proxies={"pool_id": P})) == (ListedProxy(P, None),)


@pytest.mark.parametrize("told", [None, "x", [], [{"name": "no id"}], [{"pool_id": "../../x"}]])
def test_details_that_do_not_settle_it(told: Any) -> None:
    assert proxies_in_detail(row(proxies=told)) is None
    assert proxies_in_detail(row()) is None


def test_details_may_say_that_the_proxy_is_gone() -> None:
    assert proxies_in_detail(row(proxies=[], proxy_ips=[])) == ()


def test_the_list_of_proxies_in_both_forms() -> None:
    assert proxies_in_list(({"proxy": {"pool_id": P, "name": "rw"}}, {"pool_id": Q})) == (
        ListedProxy(P, "rw"),
        ListedProxy(Q, None),
    )
    with pytest.raises(BadProxyId, match="x/y"):
        proxies_in_list(({"proxy": {"pool_id": "x/y"}},))


def test_details_are_asked_for_in_twenties() -> None:
    ids = [str(number) for number in range(45)]
    asked = list(batches(ids))
    assert [len(each) for each in asked] == [20, 20, 5]
    assert [each for batch in asked for each in batch] == ids


def test_an_answer_settles_what_it_tells_and_nothing_else() -> None:
    listed = {A: row(), B: row(id=B)}
    details: list[dict[str, Any]] = [
        {"id": A, "maintenance_window": "18:00-22:00", "proxies": [{"pool_id": P}]},
        {"id": "other"},
    ]
    found = learnt([A, B], listed, details)
    assert found.keys() == {A}
    assert (found[A].row["name"], found[A].row["maintenance_window"]) == ("orders-prod-0001", "18:00-22:00")


def test_subnet_and_nodes_are_those_of_the_proxy_where_its_row_tells_them() -> None:
    (own,) = proxies_in_list(({"proxy": {"pool_id": P, "subnet_id": "s-proxy", "node_num": "3"}},))
    told = row(subnet_id="s-instance")
    first, second = targets_of("bj4", A, Instance(told, (own, ListedProxy(Q, None))))
    assert first.facts is not None
    assert second.facts is not None
    assert (first.facts.subnet, first.facts.nodes) == ("s-proxy", 3)
    assert (second.facts.subnet, second.facts.nodes) == ("s-instance", None)


@pytest.mark.parametrize("odd", [None, True, 2.0, -1, 0, "two", "²", "1" * 40, {"n": 2}])
def test_a_number_of_nodes_that_is_none_is_not_known(odd: object) -> None:
    assert proxies_in_list(({"pool_id": P, "node_num": odd},))[0].nodes is None


def test_targets_know_what_discovery_knows() -> None:
    told = row(status="normal", maintenance_window="18:00-22:00")
    (target,) = targets_of("bj4", A, Instance(told, (ListedProxy(P, "rw"),)))
    assert target == Target(
        scope="bj4",
        instance_id=A,
        proxy_id=P,
        facts=Facts(
            name="orders-prod-0001",
            proxy_name="rw",
            tags={"env": "prod", "app": "orders"},
            instance_status="normal",
            maintenance_window="18:00-22:00",
        ),
    )


def test_a_proxy_that_two_entries_find_counts_once_and_a_contradiction_stays() -> None:
    first, again = (Target(scope=scope, instance_id=A, proxy_id=P) for scope in ("one", "two"))
    other, elsewhere = (Target(scope="one", instance_id=key, proxy_id=Q) for key in (A, B))
    assert counted_once([first, other, again, elsewhere]) == [first, other, elsewhere]
