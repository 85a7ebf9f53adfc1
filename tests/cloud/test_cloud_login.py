"""A login with a password."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from orchestrator.model.plan.auth import Auth
from orchestrator.model.reply.reply import NotSent, Throttled, Unauthenticated

pytestmark = pytest.mark.anyio

INSTANCE = "11112222333344445555666677778888in07"
PROXY = "aaaabbbbccccddddeeeeffff00001111po01"
PROJECT = "0123456789abcdef0123456789abcdef"

LOGIN = Auth(user="fleet-bot", domain="account", password_env="PASSWORD")


def token(clock: Any, name: str = "tok", lifetime_s: float = 86400.0) -> Any:
    issued = clock.now()

    def stamp(moment: Any) -> Any:
        return moment.strftime("%Y-%m-%dT%H:%M:%S.000000Z")

    body = {"token": {"issued_at": stamp(issued), "expires_at": stamp(issued + timedelta(seconds=lifetime_s))}}
    return web.json_response(body, status=201, headers={"X-Subject-Token": name})


async def test_login_sends_what_the_documentation_says(asked: Any, cloud: Any, clock: Any) -> None:
    cloud.login = lambda _: token(clock, "long-token")
    headers = await asked(LOGIN, {"PASSWORD": "pass word"})
    assert headers["X-Auth-Token"] == "long-token"
    method, path, headers, body = cloud.seen[0]
    assert (method, path) == ("POST", "/v3/auth/tokens")
    assert "X-Auth-Token" not in headers
    assert json.loads(body) == {
        "auth": {
            "identity": {
                "methods": ["password"],
                "password": {"user": {"name": "fleet-bot", "password": "pass word", "domain": {"name": "account"}}},
            },
            "scope": {"project": {"id": PROJECT}},
        }
    }


async def test_login_by_region_with_a_password_from_a_file(
    serve: Any, connect: Any, cloud: Any, clock: Any, tmp_path: Path
) -> None:
    (tmp_path / "pw").write_text(" pass word \n")
    cloud.login = lambda _: token(clock)
    auth = Auth(user="u", domain="d", password_file=str(tmp_path / "pw"))
    async with (
        serve(cloud.answer) as address,
        connect(address, auth=auth, environ={}, project_id=None, prepared=False) as client,
    ):
        await client.prepare()
    body = json.loads(cloud.seen[0][3])["auth"]
    assert body["scope"] == {"project": {"name": "cn-north-4"}}
    assert body["identity"]["password"]["user"]["password"] == "pass word"


async def test_login_is_renewed_before_its_end_also_with_a_wrong_clock(
    serve: Any, connect: Any, cloud: Any, clock: Any
) -> None:
    issued = clock.now()
    clock.utc += timedelta(hours=5)  # ours runs ahead of the cloud's
    real = clock.utc
    clock.utc = issued
    answer = token(clock, "first", 3600)
    clock.utc = real
    cloud.login = lambda number: answer if number == 1 else token(clock, "second")
    async with serve(cloud.answer) as address, connect(address, auth=LOGIN, environ={"PASSWORD": "p"}) as client:
        clock.advance(2999)
        assert await client.prepare() is None
        assert cloud.logins == 1
        clock.advance(2)
        assert await client.prepare() is None
        await client.proxy_version(INSTANCE, PROXY)
        assert (cloud.logins, client.generation) == (2, 2)
        assert cloud.headers()["X-Auth-Token"] == "second"


@pytest.mark.parametrize("lifetime_s", [-3600.0, 0.0, 5.0])
async def test_a_token_that_is_said_to_have_ended_is_used_for_a_minute(
    serve: Any, connect: Any, cloud: Any, clock: Any, lifetime_s: float
) -> None:
    cloud.login = lambda number: token(clock, f"tok{number}", lifetime_s)
    async with serve(cloud.answer) as address, connect(address, auth=LOGIN, environ={"PASSWORD": "p"}) as client:
        for _ in range(59):
            clock.advance(1)
            assert await client.prepare() is None
        assert cloud.logins == 1
        clock.advance(1)
        assert await client.prepare() is None
        assert cloud.logins == 2


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"error": {"code": 401, "message": "wrong hunter2-hunter2"}}, Unauthenticated),
        (403, {"error_code": "IAM.0011", "error_msg": "no"}, Unauthenticated),
        (400, {"error_msg": "no such project", "error_code": "IAM.0002"}, Unauthenticated),
        (429, {"error_code": "IAM.0012", "error_msg": "10 times per 60 seconds"}, Throttled),
        (503, {}, NotSent),
        (200, {}, NotSent),
    ],
)
async def test_login_that_fails(serve: Any, connect: Any, cloud: Any, status: int, body: Any, kind: Any) -> None:
    cloud.login = lambda _: web.json_response(body, status=status)
    environ = {"PASSWORD": "hunter2-hunter2"}
    async with serve(cloud.answer) as address, connect(address, auth=LOGIN, environ=environ, prepared=False) as client:
        failure = await client.prepare()
    assert type(failure) is kind
    assert "hunter2" not in repr(failure)
    if isinstance(failure, Throttled):
        assert failure.retry_after_s == 60
    else:
        assert "IAM login of fleet-bot" in failure.reason
