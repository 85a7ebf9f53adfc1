import json
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from orchestrator.cloud.client import Client
from orchestrator.errors import PlanError
from orchestrator.executor.ports import CloudApi
from orchestrator.model.reply.reply import (
    Answered,
    Busy,
    Doubtful,
    Entry,
    NotSent,
    ProxyHealth,
    Refused,
    Throttled,
    Unauthenticated,
)

pytestmark = pytest.mark.anyio

INSTANCE = "11112222333344445555666677778888in07"
PROXY = "aaaabbbbccccddddeeeeffff00001111po01"
PROJECT = "0123456789abcdef0123456789abcdef"


def answering(status: int = 200, body: Any = None, headers: Any = None, seen: Any = None) -> Any:
    async def handler(request: web.Request) -> Any:
        if seen is not None:
            seen.append((request.method, request.raw_path, dict(request.headers), await request.read()))
        return web.json_response(body, status=status, headers=headers)

    return handler


def failing(status: int, code: str, message: str = "no", **headers: Any) -> Any:
    return answering(status, {"error_code": code, "error_msg": message}, headers)


def test_client_is_what_the_executor_asks_for() -> None:
    def accept(api: CloudApi) -> CloudApi:
        return api

    assert accept(Client.__new__(Client)) is not None


async def test_upgrade_sends_what_the_documentation_says(serve: Any, connect: Any) -> None:
    seen: list[Any] = []
    entries = [
        {"workflow_id": "w1", "state": "ACCEPT", "error_message": None},
        {"workflow_id": "w2", "state": "REJECT", "error_message": "Upgrade failed due to insufficient subnet ip"},
    ]
    handler = answering(200, {"update_result": entries}, {"X-Request-Id": "r-1"}, seen)
    async with serve(handler) as address, connect(address) as client:
        reply = await client.upgrade(INSTANCE, PROXY, "2.23.12.000", "2.24.03.000")
    ((method, path, headers, body),) = seen
    assert (method, path) == ("POST", f"/v3/{PROJECT}/instances/{INSTANCE}/proxy/{PROXY}/upgrade-version")
    assert json.loads(body) == {"source_version": "2.23.12.000", "target_version": "2.24.03.000"}
    assert headers["X-Auth-Token"] == "token-of-the-test"
    assert headers["X-Language"] == "en-us"
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"].startswith("orchestrator/")
    assert isinstance(reply, Answered)
    assert reply.value == (
        Entry(workflow_id="w1", state="ACCEPT"),
        Entry(workflow_id="w2", state="REJECT", error_message="Upgrade failed due to insufficient subnet ip"),
    )
    assert reply.exchange.request_id == "r-1"
    assert reply.exchange.http_status == 200
    assert reply.exchange.cloud_offset_s is not None


@pytest.mark.parametrize(
    ("handler", "kind"),
    [
        (failing(400, "DBS.200001"), Refused),
        (failing(409, "DBS.200019"), Busy),
        (failing(429, "APIG.0308"), Throttled),
        (failing(401, "APIGW.0301"), Unauthenticated),
        (failing(503, "DBS.200019"), Doubtful),
        (failing(200, "DBS.200019"), Doubtful),
        (failing(200, "APIGW.0308"), Throttled),
        (answering(200, {"update_result": [], "error_code": "IAM.0012"}), Throttled),
        (answering(500, {"update_result": [{"workflow_id": "w", "state": "ACCEPT"}]}), Doubtful),
        (answering(400, {"update_result": [{"workflow_id": "w", "state": "ACCEPT"}]}), Refused),
        (answering(200, []), Doubtful),
        (answering(200, {}), Doubtful),
    ],
)
async def test_upgrade_failures_are_told_apart(serve: Any, connect: Any, handler: Any, kind: Any) -> None:
    async with serve(handler) as address, connect(address) as client:
        reply = await client.upgrade(INSTANCE, PROXY, "1", "2")
    assert type(reply) is kind
    if isinstance(reply, Unauthenticated):
        assert reply.generation == client.generation == 1


async def test_an_empty_list_is_an_answer(serve: Any, connect: Any) -> None:
    async with serve(answering(200, {"update_result": []})) as address, connect(address) as client:
        reply = await client.upgrade(INSTANCE, PROXY, "1", "2")
    assert isinstance(reply, Answered)
    assert reply.value == ()


async def test_proxy_version_path(serve: Any, connect: Any) -> None:
    seen: list[Any] = []
    body = {"current_version": "2.24.03.000", "latest_version": "2.26.06.000", "can_upgrade": "true"}
    async with serve(answering(200, body, seen=seen)) as address, connect(address) as client:
        reply = await client.proxy_version(INSTANCE, PROXY)
    assert seen[0][1] == f"/v3/{PROJECT}/instances/{INSTANCE}/proxy/{PROXY}/taurusproxy/proxy-version"
    assert isinstance(reply, Answered)
    assert reply.value.can_upgrade is True


@pytest.mark.parametrize(
    "handler",
    [failing(400, "DBS.200543"), failing(404, "DBS.200602"), failing(404, "DBS.9999"), answering(200, {"job": None})],
)
async def test_a_job_that_is_not_there_is_no_failure(serve: Any, connect: Any, handler: Any) -> None:
    async with serve(handler) as address, connect(address) as client:
        reply = await client.job("0b0c1d2e-1111-4222-8333-444455556666")
    assert isinstance(reply, Answered)
    assert reply.value is None


async def test_a_404_of_the_gateway_says_nothing_of_a_job(serve: Any, connect: Any) -> None:
    async with serve(failing(404, "APIGW.0101")) as address, connect(address) as client:
        reply = await client.job("0b0c1d2e-1111-4222-8333-444455556666")
    assert isinstance(reply, Refused)
    assert not reply.not_found


@pytest.mark.parametrize(
    ("status", "code", "health"),
    [(400, "DBS.201028", ProxyHealth(status=None)), (409, "DBS.200932", ProxyHealth(status=None))],
)
async def test_an_instance_without_a_proxy_is_an_empty_list(
    serve: Any, connect: Any, status: int, code: str, health: Any
) -> None:
    async with serve(failing(status, code)) as address, connect(address) as client:
        assert (await client.proxy_health(INSTANCE, PROXY)).value == health
        assert (await client.proxies(INSTANCE)).value.rows == ()


async def test_an_instance_that_does_not_exist_is_not_an_empty_list(serve: Any, connect: Any) -> None:
    async with serve(failing(404, "DBS.201028")) as address, connect(address) as client:
        reply = await client.proxies(INSTANCE)
    assert isinstance(reply, Refused)
    assert reply.not_found


async def test_job_list_query(serve: Any, connect: Any) -> None:
    seen: list[Any] = []
    async with serve(answering(200, {"jobs": [], "total_count": 0}, seen=seen)) as address, connect(address) as client:
        await client.jobs(
            offset=3, start_time=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), status="Running", job_id="a b/&c"
        )
    assert seen[0][1] == (
        f"/v3/{PROJECT}/immediate-jobs?job_id=a%20b%2F%26c&limit=50&offset=3"
        "&start_time=2026-01-02T03%3A04%3A05%2B0000&status=Running"
    )


@pytest.mark.parametrize("bad", ["", "..", "a/b", "a?b", "x" * 65, "ünd", "a\r\nb", "%2e%2e"])
async def test_an_id_that_is_none_never_reaches_a_url(serve: Any, connect: Any, bad: str) -> None:
    seen: list[Any] = []
    async with serve(answering(200, {}, seen=seen)) as address, connect(address) as client:
        assert isinstance(await client.upgrade(bad, PROXY, "1", "2"), Refused)
        assert isinstance(await client.proxy_version(INSTANCE, bad), Refused)
        assert isinstance(await client.job(""), Refused)
    assert seen == []


async def test_without_credentials_nothing_is_sent(serve: Any, connect: Any) -> None:
    seen: list[Any] = []
    async with serve(answering(200, {}, seen=seen)) as address, connect(address, prepared=False) as client:
        reply = await client.upgrade(INSTANCE, PROXY, "1", "2")
    assert isinstance(reply, NotSent)
    assert seen == []


async def test_project_is_looked_up_once_by_its_region(serve: Any, connect: Any) -> None:
    seen: list[Any] = []
    handler = answering(200, {"projects": [{"id": PROJECT, "name": "cn-north-4"}]}, seen=seen)
    async with serve(handler) as address, connect(address, project_id=None) as client:
        assert client.project_id == PROJECT
        assert await client.prepare() is None
    assert [(method, path) for method, path, _, _ in seen] == [("GET", "/v3/projects?name=cn-north-4")]


@pytest.mark.parametrize("ids", [[], ["a1", "b2"]])
async def test_no_or_several_projects_name_what_was_found(serve: Any, connect: Any, ids: Any) -> None:
    handler = answering(200, {"projects": [{"id": project} for project in ids]})
    async with serve(handler) as address, connect(address, project_id=None, prepared=False) as client:
        failure = await client.prepare()
        reply = await client.proxy_version(INSTANCE, PROXY)
    assert isinstance(failure, Unauthenticated)
    assert "cn-north-4" in failure.reason
    assert all(project in failure.reason for project in ids)
    assert isinstance(reply, NotSent)


async def test_what_we_sent_is_hidden_in_what_the_cloud_says(serve: Any, connect: Any) -> None:
    async def quoting(request: web.Request) -> Any:
        text = f"bad token {request.headers['X-Auth-Token']}"
        return web.json_response({"error_code": "APIGW.0301", "error_msg": text}, status=401)

    async with serve(quoting) as address, connect(address) as client:
        reply = await client.proxy_version(INSTANCE, PROXY)
    assert "token-of-the-test" not in repr(reply)
    assert reply.reason == "bad token ***"


async def test_a_wrong_clock_is_named_in_a_refusal(serve: Any, connect: Any, clock: Any) -> None:
    clock.advance(-3600)
    async with serve(failing(401, "APIGW.0301", "verify signature fail")) as address, connect(address) as client:
        reply = await client.proxy_version(INSTANCE, PROXY)
    assert reply.exchange.cloud_offset_s == pytest.approx(3600, abs=5)
    assert "60 minutes behind" in reply.reason
    assert "verify signature fail" in reply.reason


async def test_a_malformed_project_id_is_the_plans_mistake(connect: Any) -> None:
    with pytest.raises(PlanError, match="project_id"):
        async with connect("http://127.0.0.1:1", project_id="../x"):
            pass
