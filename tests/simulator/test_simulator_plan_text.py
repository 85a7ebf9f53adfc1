"""The plan that describes a simulated fleet."""

import yaml
from fakes.virtual_cloud import TARGET, VirtualCloud

from orchestrator.simulator.plan_text import plan_text

URL = "http://127.0.0.1:4711"


def test_one_project_is_one_scope_at_the_top_level() -> None:
    cloud = VirtualCloud(token="from-outside")
    text = plan_text(cloud.cloud, URL)
    plan = yaml.safe_load(text)
    assert "from-outside" not in text
    assert plan["target_version"] == TARGET
    assert plan["project_id"] == cloud.project_id
    assert [entry["proxy_id"] for entry in plan["proxies"]] == [proxy.proxy_id for proxy in cloud.proxies]
    assert "follow" not in plan


def test_several_projects_are_several_scopes() -> None:
    cloud = VirtualCloud(regions=("cn-north-4", "cn-east-3"), instances=1, speed=60)
    plan = yaml.safe_load(plan_text(cloud.cloud, URL))
    assert list(plan["scopes"]) == ["cn-north-4", "cn-east-3"]
    assert plan["scopes"]["cn-east-3"]["endpoint"] == URL
    assert [entry["scope"] for entry in plan["proxies"]] == ["cn-north-4"] * 2 + ["cn-east-3"] * 2
    assert plan["follow"]["timeout"] == "60000ms"
    assert plan["retry"]["backoff"] == "17ms"


def test_an_empty_fleet() -> None:
    cloud = VirtualCloud(instances=0)
    assert yaml.safe_load(plan_text(cloud.cloud, URL))["proxies"] == []
