"""Reading how many addresses a subnet has left, at the VPC service of a scope."""

from typing import Any

import pytest
from aiohttp import web

from orchestrator.cloud.wire.endpoints import endpoints_of
from orchestrator.model.plan.plan import Scope
from orchestrator.model.reply.reply import Answered, Doubtful, Refused

pytestmark = pytest.mark.anyio

SUBNET = "0b6f1c1e-5b64-4b9c-9d0e-2f5d3f6a7b8c"


def answering(body: Any, status: int = 200) -> Any:
    async def handler(request: web.Request) -> Any:
        assert request.path == f"/v1/0123456789abcdef0123456789abcdef/subnets/{SUBNET}"
        return web.json_response(body, status=status)

    return handler


@pytest.mark.parametrize("count", [7, "7"])
async def test_the_addresses_that_are_left_are_told(serve: Any, connect: Any, count: object) -> None:
    body = {"subnet": {"id": SUBNET, "available_ip_address_count": count}}
    async with serve(answering(body)) as address, connect(address, vpc=address) as client:
        reply = await client.subnet_addresses(SUBNET)

    assert isinstance(reply, Answered)
    assert reply.value == 7


@pytest.mark.parametrize("body", [{}, {"subnet": {"available_ip_address_count": -1}}, {"subnet": []}])
async def test_an_answer_without_a_count_tells_nothing(serve: Any, connect: Any, body: object) -> None:
    async with serve(answering(body)) as address, connect(address, vpc=address) as client:
        assert isinstance(await client.subnet_addresses(SUBNET), Doubtful)


async def test_where_no_vpc_service_is_known_nothing_is_sent(serve: Any, connect: Any) -> None:
    async with serve(answering({})) as address, connect(address) as client:
        reply = await client.subnet_addresses(SUBNET)

    assert isinstance(reply, Refused)
    assert "see vpc_endpoint" in reply.reason


@pytest.mark.parametrize(
    ("scope", "vpc"),
    [
        (Scope(name="a", region="cn-north-4"), "https://vpc.cn-north-4.myhuaweicloud.com"),
        (Scope(name="a", region="cn-north-4", endpoint="https://inside"), None),
        (Scope(name="a", endpoint="https://inside", vpc_endpoint="https://vpc"), "https://vpc"),
    ],
)
def test_its_address_comes_from_the_region_or_the_plan(scope: Scope, vpc: str | None) -> None:
    assert endpoints_of(scope, {}).vpc == vpc
