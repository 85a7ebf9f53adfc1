"""Metrics in the simulated cloud: the day, upgrades, regressions, spikes, and what may be wrong with them."""

from statistics import median
from typing import Any

import pytest
from fakes.virtual_cloud import TARGET, VirtualCloud

from orchestrator.simulator.calls.metrics import METRICS
from orchestrator.simulator.profile import Metrics, Profile, Regression, Risks, Spike

MINUTE_S = 60


def cloud(**metrics: Any) -> VirtualCloud:
    return VirtualCloud(Profile(metrics=Metrics(**metrics)), instances=2, proxies=1)


def asked(virtual: VirtualCloud, short: str, back: int, *, nodes: int = 1, namespace: str = "SYS.DBPROXY") -> Any:
    proxy, end = virtual.proxies[0], int(virtual.now.timestamp() // MINUTE_S)
    listed = virtual.get(f"instances/{proxy.instance.instance_id}/proxies").json()["proxy_list"][0]["proxy"]["nodes"]
    metric = {
        "namespace": namespace,
        "metric_name": METRICS[short][0],
        "dimensions": [
            {"name": "dbproxy_instance_id", "value": proxy.proxy_id},
            {"name": "dbproxy_node_id", "value": listed[0]["id"]},
        ],
    }
    body = {"metrics": [metric] * nodes, "from": (end - back) * 60_000, "to": end * 60_000, "period": "1"}
    path = f"/V1.0/{virtual.project_id}/batch-query-metric-data"
    return virtual.call("POST", path, body={**body, "filter": "average"})


def values(virtual: VirtualCloud, short: str, back: int) -> list[float]:
    points = asked(virtual, short, back).json()["metrics"][0]["datapoints"]
    return [point["average"] for point in points]


def test_load_follows_the_day_and_the_same_minute_says_the_same() -> None:
    one, other = cloud(), cloud()
    one.wait(86_400)
    other.wait(86_400)
    day = values(one, "connections", 1440)
    assert day == values(other, "connections", 1440)
    assert max(day) > 1.8 * min(day)


def test_connections_drop_with_an_upgrade_and_come_back() -> None:
    virtual = cloud()
    virtual.wait(MINUTE_S)
    assert virtual.upgrade(virtual.proxies[0]).status == 200
    virtual.wait(20 * MINUTE_S)
    found = values(virtual, "connections", 40)
    before, rest = median(found[:18]), found[19:]
    assert min(rest) < 0.5 * before
    assert median(found[-5:]) == pytest.approx(before, rel=0.2)


def test_a_regression_shows_from_the_new_version_on() -> None:
    plain = cloud()
    slower = cloud(regressions=(Regression(metric="response", factor=1.2, version=TARGET),))
    for virtual in (plain, slower):
        virtual.upgrade(virtual.proxies[0])
        virtual.wait(30 * MINUTE_S)
    ratios = [a / b for a, b in zip(values(slower, "response", 60), values(plain, "response", 60), strict=True)]
    assert ratios[:20] == pytest.approx([1.0] * 20, abs=1e-3)
    assert ratios[-10:] == pytest.approx([1.2] * 10, abs=1e-3)


def test_a_spike_is_everywhere_for_its_time() -> None:
    spiked, plain = cloud(spikes=(Spike(factor=2.0, at_s=600, duration_s=300),)), cloud()
    for virtual in (spiked, plain):
        virtual.wait(30 * MINUTE_S)
    ratios = [a / b for a, b in zip(values(spiked, "response", 30), values(plain, "response", 30), strict=True)]
    assert [round(ratio) for ratio in ratios] == [1] * 10 + [2] * 5 + [1] * 15


def test_faults_of_metrics() -> None:
    for virtual, count in ((cloud(), 30), (cloud(late_s=300), 25), (cloud(grain=5), 6)):
        virtual.wait(30 * MINUTE_S)
        assert len(values(virtual, "queries", 30)) == count
    missing = cloud(missing=0.5)
    missing.wait(60 * MINUTE_S)
    assert 10 < len(values(missing, "queries", 60)) < 50


def test_what_cloud_eye_refuses() -> None:
    assert asked(cloud(forbidden=True), "queries", 5).status == 403
    assert asked(cloud(most=10), "queries", 5, nodes=11).status == 400
    assert asked(cloud(), "queries", 7, nodes=500).status == 400
    assert asked(cloud(), "queries", 6, nodes=500).status == 200
    other = asked(cloud(), "queries", 5, namespace="SYS.GAUSSDB").json()["metrics"][0]
    assert other["datapoints"] == []


@pytest.mark.parametrize(("missing", "nonsense", "told"), [(0.0, 0.0, 8), (1.0, 0.0, 0), (0.0, 1.0, 8)])
def test_the_risk_of_an_upgrade(missing: float, nonsense: float, told: int) -> None:
    virtual = VirtualCloud(Profile(risk=Risks(missing=missing, nonsense=nonsense)), instances=8, proxies=1)
    risks = [virtual.version(proxy).json().get("risk") for proxy in virtual.proxies]
    assert sum(risk is not None for risk in risks) == told
