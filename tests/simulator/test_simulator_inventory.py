"""Instances, details and proxies, and the paths that do not exist."""

from typing import Any

import pytest
from fakes.virtual_cloud import VirtualCloud

from orchestrator.simulator.config import SimulatedTarget, made_project_id
from orchestrator.simulator.profile import Lists, Profile


def instances(cloud: VirtualCloud, query: str = "", version: str = "v3.1") -> Any:
    return cloud.call("GET", f"/{version}/{cloud.project_id}/instances", query).json()


def test_instances_are_paged_by_record_and_counted() -> None:
    cloud = VirtualCloud(instances=250, proxies=1)
    seen = []
    for offset in (0, 100, 200, 300):
        listing = instances(cloud, f"offset={offset}")
        assert listing["total_count"] == 250
        seen += [row["id"] for row in listing["instances"]]
    assert seen == [proxy.instance.instance_id for proxy in cloud.proxies]


def test_both_versions_of_the_list() -> None:
    cloud = VirtualCloud()
    new, old = (instances(cloud, "limit=1", version)["instances"][0] for version in ("v3.1", "v3"))
    assert (new["status"], new["eos_tag"]) == ("normal", False)
    assert old["status"] == "ACTIVE"
    assert "eos_tag" not in old
    assert len(new["proxy_ips"]) == 2


def test_filters() -> None:
    cloud = VirtualCloud(instances=40)
    rows = instances(cloud)["instances"]
    row = rows[7]
    assert [each["id"] for each in instances(cloud, f"id={row['id']}")["instances"]] == [row["id"]]
    assert [each["id"] for each in instances(cloud, f"name={row['name']}")["instances"]] == [row["id"]]
    assert [each["id"] for each in instances(cloud, f"proxy_ip={row['proxy_ips'][1]}")["instances"]] == [row["id"]]
    assert [each["id"] for each in instances(cloud, f"private_ip={row['private_ips'][0]}")["instances"]] == [row["id"]]
    assert instances(cloud, "readonly_private_ip=10.0.0.1")["total_count"] == 0
    part = instances(cloud, "name=*-prod-")["instances"]
    assert [each["id"] for each in part] == [each["id"] for each in rows if "-prod-" in each["name"]]
    tags = {tag["key"]: tag["value"] for tag in row["tags"]}
    same = instances(cloud, f"tags=env%3D{tags['env']}%2Capp%3D{tags['app']}")["instances"]
    assert [each["id"] for each in same] == [each["id"] for each in rows if each["tags"] == row["tags"]]
    assert 0 < instances(cloud, f"vpc_id={row['vpc_id']}&subnet_id={row['subnet_id']}")["total_count"] < 40


@pytest.mark.parametrize(
    "query",
    ["name=*", "type=Single", "datastore_type=mysql", "limit=101", "limit=0", "offset=-1", "tags=a%3D1%2Ca%3D2"],
)
def test_what_the_list_refuses(query: str) -> None:
    cloud = VirtualCloud()
    assert cloud.call("GET", f"/v3.1/{cloud.project_id}/instances", query).status == 400


def test_details_hold_proxies_and_the_maintenance_window() -> None:
    cloud = VirtualCloud()
    instance = cloud.proxies[0].instance
    one = cloud.get(f"instances/{instance.instance_id}").json()["instance"]
    assert [each["pool_id"] for each in one["proxies"]] == [proxy.proxy_id for proxy in instance.proxies]
    assert one["maintenance_window"][2:6] == ":00-"
    assert one["project_id"] == cloud.project_id
    ids = list(cloud.cloud.world.projects[cloud.project_id].instances)
    path = f"/v3.1/{cloud.project_id}/instances/details"
    batch = cloud.call("GET", path, f"instance_ids={','.join(ids)}").json()["instances"]
    assert [each["id"] for each in batch] == ids
    assert cloud.call("GET", path, f"instance_ids={','.join([*ids, ids[0]])}").status == 400
    assert cloud.call("GET", path).status == 400


def test_proxies_in_full_and_in_pages() -> None:
    cloud = VirtualCloud(proxies=4)
    instance = cloud.proxies[0].instance
    path = f"instances/{instance.instance_id}/proxies"
    entry = cloud.get(path).json()["proxy_list"][0]
    proxy = entry["proxy"]
    assert (proxy["pool_id"], proxy["status"]) == (instance.proxies[0].proxy_id, "ACTIVE")
    assert len(proxy["nodes"]) == proxy["node_num"]
    assert all(node["id"].endswith("pn01") and len(node["id"]) == 36 for node in proxy["nodes"])
    assert entry["readonly_nodes"][0]["instance_id"] == instance.instance_id
    assert [len(cloud.get(path, f"offset={at}&limit=3").json()["proxy_list"]) for at in (0, 3, 6)] == [3, 1, 0]


def test_lists_that_lie() -> None:
    cloud = VirtualCloud(Profile(lists=Lists(odd_types=1.0, proxy_twice=1.0)))
    instance_id = cloud.proxies[0].instance.instance_id
    entries = cloud.get(f"instances/{instance_id}/proxies").json()["proxy_list"]
    assert len(entries) == 3
    assert isinstance(entries[0]["readonly_nodes"], dict)
    assert entries[0]["proxy"]["transaction_split"] is False
    assert isinstance(entries[0]["proxy"]["vcpus"], int)
    assert len(cloud.get(f"instances/{instance_id}").json()["instance"]["proxies"]) == 3


def test_an_instance_without_a_proxy_answers_in_three_ways() -> None:
    cloud = VirtualCloud(Profile(lists=Lists(without_proxy=1.0)), instances=30)
    answers = set()
    for row in instances(cloud)["instances"]:
        assert row["proxy_ips"] == []
        reply = cloud.get(f"instances/{row['id']}/proxies")
        answers.add((reply.status, reply.json().get("error_code")))
    assert answers == {(200, None), (400, "DBS.201028"), (409, "DBS.200932")}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/v3"),
        ("GET", "/v4/{p}/instances"),
        ("DELETE", "/v3/{p}/instances"),
        ("GET", "/v3/{p}/instances/{i}/proxy/{x}/upgrade-version"),
        ("GET", "/v3.1/{p}/jobs"),
    ],
)
def test_there_is_no_such_api(method: str, path: str) -> None:
    cloud = VirtualCloud()
    reply = cloud.call(method, path.format(p=cloud.project_id, i="f" * 32 + "in07", x="f" * 32 + "po01"))
    assert (reply.status, reply.json()["error_code"]) == (404, "APIGW.0101")
    assert reply.json()["request_id"] == reply.headers["X-Request-Id"]


def test_a_region_without_the_newer_list() -> None:
    cloud = VirtualCloud(Profile(lists=Lists(without_v31=1.0)))
    assert cloud.call("GET", f"/v3.1/{cloud.project_id}/instances").status == 404
    assert cloud.call("GET", f"/v3/{cloud.project_id}/instances").status == 200


def test_an_unknown_project() -> None:
    reply = VirtualCloud().call("GET", f"/v3/{'0' * 32}/instances")
    assert (reply.status, reply.json()["error_code"]) == (403, "DBS.200010")


def test_a_cloud_for_given_targets() -> None:
    targets = tuple(
        SimulatedTarget(
            region=region,
            project_id=project_id,
            instance_id=f"{number:032x}in07",
            proxy_id=f"{number:032x}po01",
            source_version=version,
        )
        for number, (region, project_id, version) in enumerate(
            [("cn-north-4", "a" * 32, "2.23.06.001"), ("cn-north-4", "a" * 32, None), ("cn-east-3", None, None)]
        )
    )
    cloud = VirtualCloud(targets=targets)
    assert [proxy.proxy_id for proxy in cloud.proxies] == [target.proxy_id for target in targets]
    assert cloud.current(cloud.proxies[0]) == "2.23.06.001"
    assert list(cloud.cloud.world.projects) == ["a" * 32, made_project_id(1, "cn-east-3")]
    assert {cloud.upgrade(proxy).status for proxy in cloud.proxies} == {200}
