"""The cloud over real HTTP: the official SDK, the ways a reply can go wrong, and the verb itself."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
import yaml
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkgaussdb import v3 as sdk

from orchestrator.simulator import embedded
from orchestrator.simulator.config import SimulatorConfig
from orchestrator.simulator.embedded import Address, embedded_cloud
from orchestrator.simulator.profile import Fault, Profile, ScriptedFault
from orchestrator.simulator.profiles import SettingError
from orchestrator.simulator.serve import config_from_options

SPEED = 3000.0


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK writes a file into ~/.huaweicloud."""
    monkeypatch.setenv("HOME", str(tmp_path))


def test_a_cloud_that_cannot_begin_says_so_to_the_one_who_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with too few open files for an event loop."""

    def fail() -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(embedded, "new_loop", fail)
    with pytest.raises(OSError, match="Too many open files"), embedded_cloud(SimulatorConfig(seed=1)):
        pass


@pytest.fixture
def cloud() -> Iterator[Address]:
    with embedded_cloud(SimulatorConfig(access_key="AK", secret_key="SK", speed=SPEED, instances=3)) as address:
        yield address


def client(address: Address, signing: str = "SK") -> Any:
    credentials = BasicCredentials("AK", signing, project_of(address))
    credentials = credentials.with_iam_endpoint(address.url)
    config = HttpConfig.get_default_config()
    config.ignore_ssl_verification = True
    builder = sdk.GaussDBClient.new_builder().with_http_config(config).with_credentials(credentials)
    return builder.with_endpoints([address.url]).build()


def project_of(address: Address) -> str:
    return next(iter(address.cloud.world.projects))


@pytest.mark.filterwarnings("ignore:Method 'list_gauss_my_sql_instances':DeprecationWarning")
def test_the_official_sdk_reads_the_inventory(cloud: Address) -> None:
    official = client(cloud)
    instances = official.list_gauss_my_sql_instances(sdk.ListGaussMySqlInstancesRequest(limit=2, name="*-"))
    assert (instances.total_count, len(instances.instances)) == (3, 2)
    newer = official.list_gauss_my_sql_instances_unify_status(
        sdk.ListGaussMySqlInstancesUnifyStatusRequest(tags="env=prod,app=nothing here")
    )
    assert newer.total_count == 0
    instance_id = instances.instances[0].id
    proxies = official.show_gauss_my_sql_proxy_list(sdk.ShowGaussMySqlProxyListRequest(instance_id=instance_id))
    details = official.list_gauss_my_sql_instance_detail_info_unify_status(
        sdk.ListGaussMySqlInstanceDetailInfoUnifyStatusRequest(instance_ids=instance_id)
    )
    listed = [entry.proxy.pool_id for entry in proxies.proxy_list]
    assert listed == [proxy.pool_id for proxy in details.instances[0].proxies]
    assert re.fullmatch(r"\d\d:00-\d\d:00", details.instances[0].maintenance_window)


def test_the_official_sdk_upgrades_a_proxy(cloud: Address) -> None:
    official = client(cloud)
    proxy = next(cloud.cloud.world.proxies())
    where = {"instance_id": proxy.instance.instance_id, "proxy_id": proxy.proxy_id}
    asking = sdk.ShowProxyVersionRequest(**where, engine_name="taurusproxy")
    before = official.show_proxy_version(asking)
    assert before.can_upgrade
    body = sdk.ProxyUpgradeProxyVersionRequest(
        source_version=before.current_version, target_version=before.latest_version
    )
    [entry] = official.upgrade_proxy_version(sdk.UpgradeProxyVersionRequest(**where, body=body)).update_result
    assert entry.state == "ACCEPT"
    finish(official, entry.workflow_id)
    assert official.show_proxy_version(asking).current_version == before.latest_version
    jobs = official.list_immediate_jobs(sdk.ListImmediateJobsRequest(limit="10", offset="1"))
    assert [(job.job_id, job.status) for job in jobs.jobs] == [(entry.workflow_id, "Completed")]
    schedule = sdk.CheckScheduleTaskExistRequestBody(schedule_type="PROXY_VERSION_UPGRADE")
    exists = official.check_schedule_task_exist(
        sdk.CheckScheduleTaskExistRequest(instance_id=where["instance_id"], body=schedule)
    )
    assert exists.exist is False


def finish(official: Any, job_id: str) -> None:
    for _ in range(500):
        try:
            job = official.show_gauss_my_sql_job_info(sdk.ShowGaussMySqlJobInfoRequest(id=job_id)).job
        except ClientRequestException as error:
            assert error.error_code == "DBS.200543"  # noqa: PT017 - the job is not to be seen yet
            continue
        if job.status == "Completed":
            return
    pytest.fail("the job did not complete")


def test_the_official_sdk_with_a_wrong_key_is_refused(cloud: Address) -> None:
    with pytest.raises(ClientRequestException) as caught:
        client(cloud, "wrong").list_immediate_jobs(sdk.ListImmediateJobsRequest())
    assert (caught.value.status_code, caught.value.error_code) == (401, "APIGW.0301")
    assert caught.value.request_id


def test_a_token_is_as_good_as_a_signature(cloud: Address) -> None:
    status, headers, body = get(cloud, f"/v3.1/{project_of(cloud)}/instances?limit=1&name=%2A-")
    assert (status, json.loads(body)["total_count"]) == (200, 3)
    assert headers["X-Request-Id"]
    assert headers["Date"].endswith("GMT")
    assert headers["Content-Type"] == "application/json"


def get(address: Address, path: str, timeout_s: float = 120) -> tuple[int, dict[str, str], bytes]:
    request = Request(address.url + path, headers={"X-Auth-Token": address.token})
    with urlopen(request, timeout=timeout_s) as response:
        return response.status, dict(response.headers), response.read()


@contextmanager
def faulty(fault: Fault) -> Iterator[tuple[Address, str]]:
    script = (ScriptedFault(call="instances", fault=fault),)
    with embedded_cloud(SimulatorConfig(faults=Profile(faults=script), speed=100)) as address:
        yield address, f"/v3/{project_of(address)}/instances"


@pytest.mark.parametrize("fault", ["lost_answer", "lost_request"])
def test_a_connection_that_closes_without_an_answer(fault: Fault) -> None:
    with faulty(fault) as (address, path):
        with pytest.raises(http.client.RemoteDisconnected):
            get(address, path)
        assert get(address, path)[0] == 200


def test_a_body_that_is_cut_off() -> None:
    with faulty("cut_body") as (address, path), pytest.raises(http.client.IncompleteRead) as caught:
        get(address, path)
    assert len(caught.value.partial) > 100


def test_a_body_that_trickles() -> None:
    with faulty("slow_body") as (address, path), pytest.raises(TimeoutError):
        get(address, path, timeout_s=0.01)
    with faulty("slow_body") as (address, path):
        assert json.loads(get(address, path)[2])["total_count"] == 20


def test_an_answer_that_never_comes_does_not_keep_the_server_from_stopping() -> None:
    with faulty("silence") as (address, path), pytest.raises(TimeoutError):
        get(address, path, timeout_s=0.1)


def test_html_instead_of_json() -> None:
    with faulty("garbage_unstarted") as (address, path), pytest.raises(OSError, match="502"):
        get(address, path)


def test_the_books_over_http(cloud: Address) -> None:
    get(cloud, f"/v3/{project_of(cloud)}/immediate-jobs")
    books = json.loads(get(cloud, "/_simulated/books")[2])
    assert books["calls"] == {"immediate_jobs": 1}
    assert books["peaks"]["calls_under_way"]["all"] == 1


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingError, match=f"port: cannot listen on 127.0.0.1:{port}"), _on(port):
            pytest.fail("it listens on a port that is taken")


def _on(port: int) -> Any:
    return embedded_cloud(SimulatorConfig(port=port))


SCRIPT = """
import sys
from pathlib import Path
from orchestrator.simulator.serve import config_from_options, serve
config = config_from_options(instances=3, speed=60.0, faults="light")
ready = lambda url: print(url, flush=True)
note = lambda text: print(text, file=sys.stderr, flush=True)
serve(config, write_plan=Path(sys.argv[1]), on_ready=ready, on_note=note)
"""


@pytest.mark.slow
def test_the_verb_prints_its_address_writes_a_plan_and_stops_on_sigterm(tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    command = [sys.executable, "-c", SCRIPT, str(plan)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
        written = yaml.safe_load(plan.read_text())
        with urlopen(f"{url}/_simulated/books", timeout=120) as response:
            assert json.loads(response.read())["calls"] == {}
        process.send_signal(signal.SIGTERM)
        _, notes = process.communicate(timeout=120)
    assert process.returncode == 0
    token = notes.strip().removeprefix("export HW_AUTH_TOKEN=")
    assert token == config_from_options().accepted_token()
    assert f"export HW_AUTH_TOKEN={token}" in plan.read_text()
    assert (written["endpoint"], written["iam_endpoint"]) == (url, url)
    assert written["auth"] == {"token_env": "HW_AUTH_TOKEN"}
    assert len(written["proxies"]) == 6
    assert written["follow"]["poll"] == "250ms"
    assert set(written) == {
        "version", "target_version", "region", "project_id", "endpoint", "iam_endpoint", "vpc_endpoint", "auth",
        "cloud_eye", "follow", "retry", "proxies",
    }  # fmt: skip
