"""upgrade-version and what follows from it, on given instants."""

import pytest
from fakes.virtual_cloud import TARGET, VirtualCloud, base

from orchestrator.simulator.calls.upgrade import REJECT_REASONS
from orchestrator.simulator.profile import Profile


def test_an_upgrade_is_accepted_shows_up_late_runs_flips_the_version_and_completes() -> None:
    cloud = VirtualCloud()
    proxy = cloud.proxies[0]
    answer = cloud.upgrade(proxy).json()
    [entry] = answer["update_result"]
    assert entry == {"workflow_id": entry["workflow_id"], "state": "ACCEPT", "error_message": None}
    job_id = entry["workflow_id"]

    hidden = cloud.job(job_id)
    assert (hidden.status, hidden.json()["error_code"]) == (400, "DBS.200543")
    assert cloud.jobs()["jobs"] == []

    cloud.wait(10)
    running = cloud.job(job_id).json()["job"]
    assert running["status"] == "Running"
    assert running["process"].endswith("%")
    assert running["ended"] == ""
    assert cloud.current(proxy) != TARGET

    cloud.wait(3600)
    done = cloud.job(job_id).json()["job"]
    assert (done["status"], done["process"], done["fail_reason"]) == ("Completed", "", None)
    assert done["ended"] > done["created"]
    assert cloud.version(proxy).json() == {
        "current_version": TARGET,
        "latest_version": TARGET,
        "can_upgrade": False,
    }


def test_the_version_flips_before_the_job_ends() -> None:
    cloud = VirtualCloud()
    proxy = cloud.proxies[0]
    job_id = cloud.upgrade(proxy).json()["update_result"][0]["workflow_id"]
    while cloud.current(proxy) != TARGET:
        cloud.wait(1)
    assert cloud.job(job_id).json()["job"]["status"] == "Running"


def test_speed_divides_the_durations() -> None:
    lengths = {}
    for speed in (1.0, 60.0):
        cloud = VirtualCloud(speed=speed)
        cloud.upgrade(cloud.proxies[0])
        [job] = cloud.cloud.books.starts()
        lengths[speed] = job.ends_at - job.created
    assert lengths[1.0] == pytest.approx(60 * lengths[60.0], rel=1e-3)


def test_more_nodes_take_longer() -> None:
    cloud = VirtualCloud(Profile(), instances=100, proxies=1)
    per_node = []
    for proxy in cloud.proxies:
        cloud.upgrade(proxy)
        [job] = cloud.cloud.books.starts_of(proxy.proxy_id)
        per_node.append((job.ends_at - job.created) / proxy.node_num)
    assert {proxy.node_num for proxy in cloud.proxies} == {2, 3, 4}
    assert 0.7 * 90 <= min(per_node) <= max(per_node) <= 1.4 * 90


@pytest.mark.parametrize(
    ("source", "target", "code"),
    [
        ("2.23.12.000", "2.26.03.000", "DBS.200001"),  # not on offer
        ("2.23.12.000", "2.23.09.000", "DBS.200001"),  # a downgrade
        ("2.23.09.002", TARGET, "DBS.200001"),  # not what is running
        ("2.23.12.000", "newest", "DBS.200001"),
    ],
)
def test_versions_that_do_not_fit_are_a_parameter_error(source: str, target: str, code: str) -> None:
    cloud = VirtualCloud()
    proxy = next(proxy for proxy in cloud.proxies if proxy.version == "2.23.12.000")
    reply = cloud.upgrade(proxy, source, target)
    assert (reply.status, reply.json()["error_code"]) == (400, code)
    assert cloud.started(proxy) == 0


def test_a_second_post_is_busy_while_the_first_runs_and_already_latest_after_it() -> None:
    cloud = VirtualCloud()
    proxy = cloud.proxies[0]
    source = proxy.version
    cloud.upgrade(proxy, source)
    busy = cloud.upgrade(proxy, source)
    assert (busy.status, busy.json()["error_code"]) == (409, "DBS.200019")
    sibling = cloud.upgrade(proxy.instance.proxies[1])
    assert (sibling.status, sibling.json()["error_code"]) == (409, "DBS.200019")
    cloud.wait(3600)
    late = cloud.upgrade(proxy, source)
    assert (late.status, late.json()["error_code"]) == (400, "DBS.05000008")
    assert cloud.started(proxy) == 1


@pytest.mark.parametrize(
    ("instance_id", "proxy_id", "status", "code"),
    [
        ("x" * 36, "{proxy}", 400, "DBS.280404"),
        ("f" * 32 + "in07", "{proxy}", 404, "DBS.200408"),
        ("{instance}", "f" * 32 + "po01", 400, "DBS.270024"),
        ("{instance}", "short", 400, "DBS.280001"),
        ("{other}", "{proxy}", 400, "DBS.05000022"),
    ],
)
def test_ids_are_checked(instance_id: str, proxy_id: str, status: int, code: str) -> None:
    cloud = VirtualCloud()
    proxy, other = cloud.proxies[0], cloud.proxies[-1]
    names = {"proxy": proxy.proxy_id, "instance": proxy.instance.instance_id, "other": other.instance.instance_id}
    path = f"instances/{instance_id.format(**names)}/proxy/{proxy_id.format(**names)}/taurusproxy/proxy-version"
    reply = cloud.get(path)
    assert (reply.status, reply.json()["error_code"]) == (status, code)


@pytest.mark.parametrize(("body", "code"), [(b"", "DBS.200006"), (b"{", "DBS.200001"), (b'{"a": 1}', "DBS.200001")])
def test_bodies_are_checked(body: bytes, code: str) -> None:
    cloud = VirtualCloud()
    reply = cloud.call("POST", f"{base(cloud.proxies[0])}/upgrade-version", body=body)
    assert (reply.status, reply.json()["error_code"]) == (400, code)


def test_the_engine_is_checked() -> None:
    cloud = VirtualCloud()
    assert cloud.call("GET", f"{base(cloud.proxies[0])}/mysql/proxy-version").status == 400


def test_rejections_come_inside_a_200_with_an_id_that_names_no_job() -> None:
    cloud = VirtualCloud(Profile(roles={"rejected": 1.0}), instances=30)
    reasons = set()
    for proxy in cloud.proxies:
        reply = cloud.upgrade(proxy)
        [entry] = reply.json()["update_result"]
        assert (reply.status, entry["state"]) == (200, "REJECT")
        reasons.add(entry["error_message"])
        cloud.wait(60)
        assert cloud.job(entry["workflow_id"]).status == 400
        assert cloud.started(proxy) == 0
    assert reasons == set(REJECT_REASONS)


def test_accept_and_reject_in_one_answer_as_in_the_official_example() -> None:
    cloud = VirtualCloud(Profile(roles={"accept_and_reject": 1.0}))
    proxy = cloud.proxies[0]
    accepted, rejected = cloud.upgrade(proxy).json()["update_result"]
    assert (accepted["state"], accepted["error_message"]) == ("ACCEPT", None)
    assert (rejected["state"], rejected["error_message"]) == ("REJECT", "Upgrade failed due to insufficient subnet ip")
    assert "instance_id" not in accepted
    assert accepted["workflow_id"] != rejected["workflow_id"]
    cloud.wait(3600)
    assert cloud.job(accepted["workflow_id"]).json()["job"]["status"] == "Completed"
    assert cloud.job(rejected["workflow_id"]).status == 400
    assert cloud.current(proxy) == TARGET
