"""Temporary keys of an agency of the ECS."""

import json
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.model.plan.auth import Auth
from orchestrator.model.reply.reply import NotSent, Unauthenticated

pytestmark = pytest.mark.anyio

INSTANCE = "11112222333344445555666677778888in07"
PROXY = "aaaabbbbccccddddeeeeffff00001111po01"
PROJECT = "0123456789abcdef0123456789abcdef"


TOKEN_PATH, KEY_PATH = "/meta-data/latest/api/token", "/openstack/latest/securitykey"


def temporary(clock: Any, lifetime_s: float, access: Any = "TEMP") -> Any:
    expires = (clock.now() + timedelta(seconds=lifetime_s)).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    return json.dumps(
        {"credential": {"access": access, "secret": "sec", "securitytoken": "stk", "expires_at": expires}}
    )


async def test_agency(asked: Any, cloud: Any, clock: Any) -> None:
    cloud.metadata = {TOKEN_PATH: (200, "metadata-token"), KEY_PATH: (200, temporary(clock, 86400))}
    headers = await asked(Auth(agency=True), {})
    assert "Access=TEMP," in headers["Authorization"]
    assert headers["X-Security-Token"] == "stk"
    assert [(method, path) for method, path, _, _ in cloud.seen[:2]] == [("PUT", TOKEN_PATH), ("GET", KEY_PATH)]
    assert cloud.seen[0][2]["X-Metadata-Token-Ttl-Seconds"] == "21600"
    assert cloud.seen[1][2]["X-Metadata-Token"] == "metadata-token"


async def test_agency_without_metadata_tokens(serve: Any, connect: Any, cloud: Any, clock: Any) -> None:
    cloud.metadata = {TOKEN_PATH: (405, ""), KEY_PATH: (200, temporary(clock, 86400))}
    async with serve(cloud.answer) as address, connect(address, auth=Auth(agency=True), environ={}) as client:
        assert await client.renew() is None
    assert [path for _, path, _, _ in cloud.seen] == [TOKEN_PATH, KEY_PATH, KEY_PATH]
    assert "X-Metadata-Token" not in cloud.seen[1][2]


async def test_agency_is_renewed_when_less_than_40_minutes_remain(
    serve: Any, connect: Any, cloud: Any, clock: Any
) -> None:
    cloud.metadata = {TOKEN_PATH: (200, "m"), KEY_PATH: (200, temporary(clock, 3600))}
    async with serve(cloud.answer) as address, connect(address, auth=Auth(agency=True), environ={}) as client:
        clock.advance(19 * 60)
        await client.prepare()
        assert client.generation == 1
        clock.advance(2 * 60)
        cloud.metadata[KEY_PATH] = (200, temporary(clock, 3600, "NEXT"))
        await client.prepare()
        await client.proxy_version(INSTANCE, PROXY)
        assert client.generation == 2
        assert "Access=NEXT," in cloud.headers()["Authorization"]


@pytest.mark.parametrize(
    ("answer", "kind", "calls"),
    [
        ((401, "Please configure Cloud Service Agency first"), Unauthenticated, 2),
        ((401, "token expired"), Unauthenticated, 4),
        ((404, ""), Unauthenticated, 2),
        ((500, ""), NotSent, 2),
        ((200, "<html>"), NotSent, 2),
        ((200, '{"credential": {"access": "a"}}'), Unauthenticated, 2),
    ],
)
async def test_agency_that_gives_nothing(
    serve: Any, connect: Any, cloud: Any, answer: Any, kind: Any, calls: int
) -> None:
    cloud.metadata = {TOKEN_PATH: (200, "m"), KEY_PATH: answer}
    async with (
        serve(cloud.answer) as address,
        connect(address, auth=Auth(agency=True), environ={}, prepared=False) as client,
    ):
        failure = await client.prepare()
    assert type(failure) is kind
    assert "ECS agency" in failure.reason
    assert len(cloud.seen) == calls
