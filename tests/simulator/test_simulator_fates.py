"""What becomes of upgrades, of proxies, and of the fleet through the work of others."""

from typing import Any, get_args

import pytest
from fakes.virtual_cloud import TARGET, VirtualCloud

from orchestrator.simulator.profile import (
    End,
    Flip,
    Foreign,
    Health,
    JobFate,
    JobShares,
    Profile,
    Role,
    ScriptedFate,
    ScriptedForeign,
    Seen,
    Timing,
)
from orchestrator.simulator.wire import Reply


def entries(reply: Reply) -> Any:
    return reply.json()["update_result"]


@pytest.mark.parametrize("end", get_args(End))
def test_how_jobs_end(end: End) -> None:
    cloud = VirtualCloud(Profile(fates=(ScriptedFate(fate=JobFate(end=end)),)))
    proxy = cloud.proxies[0]
    job_id = entries(cloud.upgrade(proxy))[0]["workflow_id"]
    cloud.wait(7200)
    job = cloud.job(job_id).json()["job"]
    expected = {"failed": "Failed", "canceled": "Canceled", "hangs": "Running", "unauthorized": "Unauthorized"}
    assert job["status"] == expected.get(end, "Completed")
    assert (job["fail_reason"] is not None) == (end == "failed")
    assert (cloud.current(proxy) == TARGET) == (job["status"] == "Completed")
    busy = cloud.upgrade(cloud.proxies[1]).status == 409
    assert busy == (end in {"hangs", "unauthorized"})


def test_a_job_that_waits_for_authorisation_first() -> None:
    cloud = VirtualCloud(Profile(fates=(ScriptedFate(fate=JobFate(end="unauthorized_then_runs")),)))
    job_id = entries(cloud.upgrade(cloud.proxies[0]))[0]["workflow_id"]
    cloud.wait(10)
    job = cloud.job(job_id).json()["job"]
    assert (job["status"], job["process"]) == ("Unauthorized", "")


@pytest.mark.parametrize("flip", get_args(Flip))
@pytest.mark.parametrize("end", ["completed", "failed", "hangs", "unauthorized"])
def test_when_the_version_flips(flip: Flip, end: End) -> None:
    cloud = VirtualCloud(Profile(fates=(ScriptedFate(fate=JobFate(end=end, flip=flip)),)))
    proxy = cloud.proxies[0]
    cloud.upgrade(proxy)
    [job] = cloud.cloud.books.starts()
    at = proxy.flips[0][0] if proxy.flips else None
    if flip == "never" or end == "unauthorized" or (end != "completed" and flip != "early"):
        assert at is None
    elif flip == "late":
        assert at is not None
        assert job.ends_at < at <= job.ends_at + 120
    else:
        assert at is not None
        assert job.created < at < job.ends_at


@pytest.mark.parametrize(
    ("seen", "soon", "later", "listed"),
    [
        ("normal", 200, 200, 1),
        ("late", 400, 200, 1),
        ("never", 400, 400, 0),
        ("not_by_id", 400, 400, 1),
        ("not_listed", 200, 200, 0),
    ],
)
def test_how_jobs_can_be_seen(seen: Seen, soon: int, later: int, listed: int) -> None:
    cloud = VirtualCloud(Profile(fates=(ScriptedFate(fate=JobFate(seen=seen)),)))
    job_id = entries(cloud.upgrade(cloud.proxies[0]))[0]["workflow_id"]
    cloud.wait(10)
    assert cloud.job(job_id).status == soon
    cloud.wait(100)
    assert cloud.job(job_id).status == later
    assert len(cloud.jobs()["jobs"]) == cloud.jobs()["total_count"] == listed


@pytest.mark.parametrize("health", get_args(Health))
def test_nodes_after_the_upgrade(health: Health) -> None:
    cloud = VirtualCloud(Profile(fates=(ScriptedFate(fate=JobFate(health=health)),)))
    proxy = cloud.proxies[0]
    cloud.upgrade(proxy)
    [job] = cloud.cloud.books.starts()
    cloud.wait(job.ends_at - job.created + 1)
    after = _statuses(cloud)
    cloud.wait(3600)
    assert ("ABNORMAL" in after) == (health != "active")
    assert ("ABNORMAL" in _statuses(cloud)) == (health == "abnormal")


def _statuses(cloud: VirtualCloud) -> set[str]:
    proxy = cloud.proxies[0]
    listed = cloud.get(f"instances/{proxy.instance.instance_id}/proxies").json()["proxy_list"][0]["proxy"]
    return {listed["status"], *(node["status"] for node in listed["nodes"])}


def test_fates_by_rate() -> None:
    shares = JobShares(end={"failed": 0.3, "hangs": 0.2}, flip={"early": 0.5}, seen={"late": 0.5})
    cloud = VirtualCloud(Profile(jobs=shares), instances=300, proxies=1)
    for proxy in cloud.proxies:
        cloud.upgrade(proxy)
    fates = [job.fate for job in cloud.cloud.books.starts()]
    assert 60 <= sum(fate.end == "failed" for fate in fates) <= 120
    assert 35 <= sum(fate.end == "hangs" for fate in fates) <= 85
    assert 110 <= sum(fate.flip == "early" for fate in fates) <= 190
    assert 110 <= sum(fate.seen == "late" for fate in fates) <= 190


@pytest.mark.parametrize("role", get_args(Role))
def test_what_proxies_can_be(role: Role) -> None:
    cloud = VirtualCloud(Profile(roles={role: 1.0}), instances=1, proxies=1)
    plain = VirtualCloud(instances=1, proxies=1)
    proxy = plain.proxies[0]
    shown = cloud.version(proxy)
    if role == "gone":
        assert (shown.status, shown.json()["error_code"]) == (400, "DBS.270024")
        assert cloud.get(f"instances/{proxy.instance.instance_id}/proxies").json() == {"proxy_list": []}
        return
    version = shown.json()
    assert (version["current_version"] == TARGET) == (role == "already")
    assert (version["current_version"] < proxy.version) == (role == "drifted")
    assert (version["latest_version"] != TARGET) == (role == "not_offered")
    assert version["can_upgrade"] == (role not in {"already", "not_offered", "not_upgradable"})
    assert ("ABNORMAL" in _statuses(cloud)) == (role == "unwell")
    reply = cloud.upgrade(proxy, version["current_version"])
    assert (reply.status == 200) == (role not in {"already", "not_offered", "not_upgradable", "refused"})
    cloud.wait(3600)
    upgraded = role in {"drifted", "unwell", "accept_and_reject", "already"}
    assert (cloud.current(proxy) == TARGET) == upgraded


def test_foreign_jobs_keep_an_instance_busy_until_they_end() -> None:
    instance_id = VirtualCloud().proxies[0].instance.instance_id
    work = ScriptedForeign(instance_id=instance_id, at_s=10, duration_s=100)
    cloud = VirtualCloud(Profile(foreign_work=(work,)))
    cloud.wait(20)
    assert cloud.upgrade(cloud.proxies[0]).status == 409
    [job] = cloud.jobs("limit=50&status=Running")["jobs"]
    assert (job["job_name"], job["instance_id"]) == ("ResizeGaussDBforMySQLFlavor", instance_id)
    cloud.wait(100)
    assert cloud.upgrade(cloud.proxies[0]).status == 200


def test_foreign_upgrades_by_script_and_by_rate() -> None:
    proxy = VirtualCloud().proxies[0]
    work = ScriptedForeign(instance_id=proxy.instance.instance_id, proxy_id=proxy.proxy_id, at_s=5)
    cloud = VirtualCloud(Profile(foreign_work=(work,)))
    cloud.wait(3600)
    assert cloud.current(cloud.proxies[0]) == TARGET
    assert cloud.started(cloud.proxies[0]) == 0
    cloud = VirtualCloud(Profile(foreign=Foreign(jobs=0.5, upgrades=0.5)), instances=50)
    cloud.wait(7200)
    names = {job["job_name"] for job in cloud.jobs()["jobs"]}
    assert names == {"ResizeGaussDBforMySQLFlavor", "UpgradeGaussDBforMySQLProxyVersion"}
    assert sum(cloud.current(proxy) == TARGET for proxy in cloud.proxies) > 20
    assert cloud.cloud.books.starts() == []


def test_nobody_upgrades_a_proxy_that_is_up_to_date() -> None:
    cloud = VirtualCloud(Profile(roles={"already": 1.0}, foreign=Foreign(upgrades=1.0)))
    cloud.wait(7200)
    assert cloud.jobs()["total_count"] == 0


def test_a_status_while_upgrading_can_be_set() -> None:
    cloud = VirtualCloud(Profile(status_while_upgrading="UPGRADING", timing=Timing(node_s=1000)))
    cloud.upgrade(cloud.proxies[0])
    assert "UPGRADING" in _statuses(cloud)
