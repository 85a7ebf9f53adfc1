"""The official SDK's client and this one send the same request for the same call."""

import asyncio
import inspect
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer
from huaweicloudsdkgaussdb.v3 import GaussDBClient
from huaweicloudsdkgaussdb.v3 import model as sdk
from yarl import URL

from orchestrator.cloud.client import Client
from orchestrator.model.plan.auth import Auth
from orchestrator.model.reply.reply import Answered

pytestmark = [
    pytest.mark.anyio,
    # The v3 list of instances is deprecated in favour of v3.1, and is the fallback where v3.1 is missing.
    pytest.mark.filterwarnings("ignore:Method 'list_gauss_my_sql_instances':DeprecationWarning"),
]

PROJECT = "0123456789abcdef0123456789abcdef"
INSTANCE = "11112222333344445555666677778888in07"
OTHER = "99992222333344445555666677778888in07"
PROXY = "aaaabbbbccccddddeeeeffff00001111po01"
JOB = "0b0c1d2e-1111-4222-8333-444455556666"
ACCESS_KEY, SECRET_KEY, SECURITY_TOKEN = (
    "EXAMPLEAK0000000000A",
    "exampleSecretKey00000000000000000000000A",
    "FAKE+ST/==",
)
ONE = {"instance_id": INSTANCE, "proxy_id": PROXY}
EN = {"x_language": "en-us"}

#: Our call, the SDK's, and an answer that both understand.
CALLS: dict[str, tuple[Any, Any, Any]] = {
    "upgrade": (
        lambda client: client.upgrade(INSTANCE, PROXY, "2.23.12.000", "2.24.03.000"),
        lambda client: client.upgrade_proxy_version(
            sdk.UpgradeProxyVersionRequest(
                **ONE,
                **EN,
                body=sdk.ProxyUpgradeProxyVersionRequest(source_version="2.23.12.000", target_version="2.24.03.000"),
            )
        ),
        {"update_result": []},
    ),
    "proxy_version": (
        lambda client: client.proxy_version(INSTANCE, PROXY),
        lambda client: client.show_proxy_version(sdk.ShowProxyVersionRequest(**ONE, **EN, engine_name="taurusproxy")),
        {"current_version": "2.24.03.000"},
    ),
    "proxy_health": (
        lambda client: client.proxy_health(INSTANCE, PROXY),
        lambda client: client.show_gauss_my_sql_proxy_list(
            sdk.ShowGaussMySqlProxyListRequest(instance_id=INSTANCE, **EN, offset=0, limit=100)
        ),
        {"proxy_list": []},
    ),
    "proxies": (
        lambda client: client.proxies(INSTANCE),
        lambda client: client.show_gauss_my_sql_proxy_list(
            sdk.ShowGaussMySqlProxyListRequest(instance_id=INSTANCE, **EN, offset=0, limit=100)
        ),
        {"proxy_list": []},
    ),
    "proxy_ids": (
        lambda client: client.proxy_ids(INSTANCE),
        lambda client: client.show_gauss_my_sql_proxy_list(
            sdk.ShowGaussMySqlProxyListRequest(instance_id=INSTANCE, **EN, offset=0, limit=100)
        ),
        {"proxy_list": []},
    ),
    "job": (
        lambda client: client.job(JOB),
        lambda client: client.show_gauss_my_sql_job_info(sdk.ShowGaussMySqlJobInfoRequest(id=JOB, **EN)),
        {"job": {"id": JOB}},
    ),
    "jobs": (
        lambda client: client.jobs(
            offset=1, start_time=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), status="Running", job_id=JOB
        ),
        lambda client: client.list_immediate_jobs(
            sdk.ListImmediateJobsRequest(
                offset="1", limit="50", start_time="2026-01-02T03:04:05+0000", status="Running", job_id=JOB, **EN
            )
        ),
        {"jobs": [], "total_count": 0},
    ),
    "instances": (
        lambda client: client.instances(offset=100, filters={"name": "*prod db", "tags": "env=prod,tier=a b"}),
        lambda client: client.list_gauss_my_sql_instances_unify_status(
            sdk.ListGaussMySqlInstancesUnifyStatusRequest(
                offset=100, limit=100, name="*prod db", tags="env=prod,tier=a b", **EN
            )
        ),
        {"instances": [], "total_count": 0},
    ),
    "schedule_events": (
        lambda client: client.schedule_events(offset=100),
        lambda client: client.show_instance_schedule_events(
            sdk.ShowInstanceScheduleEventsRequest(limit=100, offset=100, **EN)
        ),
        {"total_count": 0, "events": []},
    ),
    "scheduled_jobs": (
        lambda client: client.scheduled_jobs(offset=100),
        lambda client: client.list_schedule_jobs(sdk.ListScheduleJobsRequest(offset="100", limit="100", **EN)),
        {"total_count": 0, "schedules": []},
    ),
    "instances, v3": (
        lambda client: client.instances(offset=0, version="v3"),
        lambda client: client.list_gauss_my_sql_instances(
            sdk.ListGaussMySqlInstancesRequest(offset=0, limit=100, **EN)
        ),
        {"instances": [], "total_count": 0},
    ),
    "instance_details": (
        lambda client: client.instance_details([INSTANCE, OTHER]),
        lambda client: client.list_gauss_my_sql_instance_detail_info_unify_status(
            sdk.ListGaussMySqlInstanceDetailInfoUnifyStatusRequest(instance_ids=f"{INSTANCE},{OTHER}", **EN)
        ),
        {"instances": []},
    ),
    "scheduled_upgrade": (
        lambda client: client.scheduled_upgrade(INSTANCE, PROXY),
        lambda client: client.check_schedule_task_exist(
            sdk.CheckScheduleTaskExistRequest(
                instance_id=INSTANCE,
                **EN,
                body=sdk.CheckScheduleTaskExistRequestBody(schedule_type="PROXY_VERSION_UPGRADE", proxy_id=PROXY),
            )
        ),
        {"exist": False, "scheduled_tasks": []},
    ),
}


def capturing(seen: Any, body: Any) -> Any:
    async def handler(request: web.Request) -> Any:
        seen.append((request.method, request.raw_path, request.headers.copy(), await request.read()))
        return web.json_response(body)

    return handler


def ask_sdk(address: str, call: Any) -> None:
    credentials = BasicCredentials(ACCESS_KEY, SECRET_KEY, PROJECT).with_security_token(SECURITY_TOKEN)
    call(GaussDBClient.new_builder().with_credentials(credentials).with_endpoint(address).build())


def signed_values(headers: Any) -> Any:
    names = headers["Authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    return {name: headers[name] for name in names}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # the SDK writes an application_id there


def test_every_call_of_the_client_is_compared() -> None:
    made = {name for name, method in vars(Client).items() if inspect.iscoroutinefunction(method) and name[0] != "_"}
    # `prepare` looks the project up, which has a test of its own; `renew` gets credentials. Neither asks the service.
    # `subnet_addresses` asks another one, VPC.
    assert made - {"prepare", "renew", "subnet_addresses"} == {name.partition(",")[0] for name in CALLS}


@pytest.mark.parametrize("name", CALLS)
async def test_same_request_as_the_official_client(serve: Any, connect: Any, name: str) -> None:
    ours, theirs, answer = CALLS[name]
    seen: list[Any] = []
    environ = {"A": ACCESS_KEY, "S": SECRET_KEY, "T": SECURITY_TOKEN}
    auth = Auth(access_key_env="A", secret_key_env="S", security_token_env="T")
    async with serve(capturing(seen, answer)) as address:
        async with connect(address, auth=auth, environ=environ) as client:
            assert isinstance(await ours(client), Answered)
        await asyncio.to_thread(ask_sdk, address, theirs)
    (method, path, headers, body), (sdk_method, sdk_path, sdk_headers, sdk_body) = seen
    assert (method, path) == (sdk_method, sdk_path)
    assert json.loads(body or b"null") == json.loads(sdk_body or b"null")
    signed, sdk_signed = signed_values(headers), signed_values(sdk_headers)
    # A proxy on the way may change the User-Agent, so it is sent and not signed.
    sdk_signed.pop("user-agent")
    assert signed.keys() == sdk_signed.keys()
    for header in signed.keys() - {"x-sdk-date", "content-type"}:
        assert signed[header] == sdk_signed[header]
    assert sdk_signed["content-type"].startswith(signed["content-type"])


@pytest.mark.parametrize("name", CALLS)
async def test_the_official_signer_signs_what_arrived_just_so(serve: Any, connect: Any, name: str) -> None:
    ours, _, answer = CALLS[name]
    seen: list[Any] = []
    auth = Auth(access_key_env="A", secret_key_env="S")
    environ = {"A": ACCESS_KEY, "S": SECRET_KEY}
    async with (
        serve(capturing(seen, answer)) as address,
        connect(address, auth=auth, environ=environ) as client,
    ):
        await ours(client)
    ((method, path, headers, body),) = seen
    url = URL(path, encoded=True)
    signed = {**signed_values(headers), "X-Sdk-Date": headers["X-Sdk-Date"]}
    del signed["x-sdk-date"]
    again = SdkRequest(
        method=method,
        schema="http",
        host=headers["Host"],
        resource_path=url.path,
        query_params=list(url.query.items()),
        header_params=signed,
        body=body,
    )
    Signer(BasicCredentials(ACCESS_KEY, SECRET_KEY, PROJECT)).sign(again)
    assert headers["Authorization"] == again.header_params["Authorization"]
    assert path == again.uri


async def test_same_project_lookup_as_the_official_client(serve: Any, connect: Any) -> None:
    seen: list[Any] = []
    answer = {"projects": [{"id": PROJECT, "name": "cn-north-4"}], "instances": [], "total_count": 0}

    def look_up(address: str) -> None:
        credentials = BasicCredentials(ACCESS_KEY, SECRET_KEY)
        credentials.iam_endpoint = address
        region = Region("cn-north-4", address)
        GaussDBClient.new_builder().with_credentials(credentials).with_region(region).build()

    auth = Auth(access_key_env="A", secret_key_env="S")
    async with serve(capturing(seen, answer)) as address:
        environ = {"A": ACCESS_KEY, "S": SECRET_KEY}
        async with connect(address, auth=auth, environ=environ, project_id=None) as client:
            assert client.project_id == PROJECT
        await asyncio.to_thread(look_up, address)
    ours, theirs = seen
    assert ours[:2] == theirs[:2] == ("GET", "/v3/projects?name=cn-north-4")
    assert "X-Project-Id" not in ours[2]
    assert "X-Project-Id" not in theirs[2]
