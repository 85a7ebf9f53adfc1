"""Subnets whose addresses upgrades take and give back, and the two ways to refuse for want of them."""

from fakes.virtual_cloud import VirtualCloud

from orchestrator.simulator.config import made_project_id
from orchestrator.simulator.profile import Profile, SubnetLimits


def cloud_of(**limits: object) -> VirtualCloud:
    return VirtualCloud(instances=12, proxies=1, faults=Profile(subnets=SubnetLimits(**limits)))  # type: ignore[arg-type]


def subnets(cloud: VirtualCloud) -> set[str]:
    rows = cloud.call("GET", f"/v3.1/{cloud.project_id}/instances").json()["instances"]
    return {row["subnet_id"] for row in rows}


def left(cloud: VirtualCloud) -> int:
    asked = (cloud.call("GET", f"/v1/{cloud.project_id}/subnets/{each}").json() for each in subnets(cloud))
    return sum(each["subnet"]["available_ip_address_count"] for each in asked)


def test_a_subnet_has_plenty_of_addresses_unless_it_is_told_otherwise() -> None:
    assert left(VirtualCloud(instances=1)) == 60_000


def test_upgrades_take_addresses_and_give_them_back() -> None:
    cloud = cloud_of(addresses=9)
    before = left(cloud)
    proxy = cloud.proxies[0]
    cloud.upgrade(proxy)
    assert left(cloud) == before - proxy.node_num

    cloud.wait(3600)
    assert left(cloud) == before


def test_who_lacks_addresses_is_rejected_or_refused_with_the_numbers() -> None:
    cloud = cloud_of(addresses=1)
    said = [cloud.upgrade(proxy) for proxy in cloud.proxies]
    texts = {str(each.json()) for each in said}

    assert any("Upgrade failed due to insufficient subnet ip" in text for text in texts)
    assert any("DBS.05000020" in text and "Left: 1." in text for text in texts)
    assert not any("ACCEPT" in text for text in texts)


def test_nobody_may_ask_or_there_is_no_such_subnet() -> None:
    denied, cloud = cloud_of(denied=True), cloud_of()
    assert denied.call("GET", f"/v1/{denied.project_id}/subnets/{next(iter(subnets(denied)))}").status == 403
    assert cloud.call("GET", f"/v1/{cloud.project_id}/subnets/{made_project_id(1, 'x')}").status == 404
