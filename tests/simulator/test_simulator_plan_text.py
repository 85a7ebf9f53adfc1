"""The plan that describes a simulated fleet."""

from pathlib import Path

import pytest
import yaml
from fakes.virtual_cloud import TARGET, VirtualCloud

from orchestrator.planner.plan_file.load import load_plan
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


@pytest.mark.parametrize("regions", [("cn-north-4",), ("cn-north-4", "cn-east-3")])
def test_every_service_that_the_cloud_serves_is_looked_for_there(tmp_path: Path, regions: tuple[str, ...]) -> None:
    file = tmp_path / "fleet.yaml"
    file.write_text(plan_text(VirtualCloud(regions=regions, instances=1).cloud, URL))
    plan = load_plan(file)
    assert plan.cloud_eye.endpoint == URL
    for scope in plan.scopes:
        assert [getattr(scope, name) for name in scope.__struct_fields__ if "endpoint" in name] == [URL] * 3


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
