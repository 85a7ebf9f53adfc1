"""Whatever goes wrong, no secret is in anything that the package gives back, logs or raises."""

import logging
import traceback
from typing import Any

import pytest
from aiohttp import web

from orchestrator.model.plan import Auth
from orchestrator.model.reply import Answered

pytestmark = pytest.mark.anyio

INSTANCE = "11112222333344445555666677778888in07"
PROXY = "aaaabbbbccccddddeeeeffff00001111po01"
SECRETS = {
    "TOKEN": "gAAAAsecrettoken0123456789",
    "ACCESS": "AKIDsecretaccess0123",
    "SECRET": "secretsecretkey0123456789",
    "STS": "secretsecuritytoken0123456789",
    "PASSWORD": "secret pass phrase",
}
WAYS = {
    "token": Auth(token_env="TOKEN"),
    "key": Auth(access_key_env="ACCESS", secret_key_env="SECRET", security_token_env="STS"),
    "password": Auth(user="u", domain="d", password_env="PASSWORD"),
}


def everything(request: web.Request, body: Any) -> Any:
    """All that a server knows of a request, which is what a careless one repeats in its error."""
    return " ".join([*(f"{name}: {value}" for name, value in request.headers.items()), body.decode()])


async def echo_error(request: web.Request) -> Any:
    said = everything(request, await request.read())
    if request.path == "/v3/auth/tokens" and request.headers.get("X-Language") == "en-us":
        return web.json_response({}, status=201, headers={"X-Subject-Token": SECRETS["TOKEN"]})
    return web.json_response({"error_code": "APIGW.0301", "error_msg": said}, status=401)


async def echo_page(request: web.Request) -> Any:
    return web.Response(text=f"<html>{everything(request, await request.read())[:100]}</html>", status=502)


async def hang_up(request: web.Request) -> Any:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


@pytest.mark.parametrize("handler", [echo_error, echo_page, hang_up])
@pytest.mark.parametrize("way", WAYS)
async def test_no_secret_in_any_reply(
    serve: Any, connect: Any, caplog: pytest.LogCaptureFixture, handler: Any, way: str
) -> None:
    caplog.set_level(logging.DEBUG)
    said = []
    async with serve(handler) as address, connect(address, auth=WAYS[way], environ=SECRETS, prepared=False) as client:
        said += [await client.prepare(), client]
        for reply in (
            await client.upgrade(INSTANCE, PROXY, "1", "2"),
            await client.proxy_version(INSTANCE, PROXY),
            await client.job("some-job"),
        ):
            assert not isinstance(reply, Answered)
            said.append(reply)
        said += [await client.renew(), vars(client), vars(client._caller), vars(client._caller._keeper)]
    text = repr(said) + caplog.text
    for secret in SECRETS.values():
        assert secret not in text


async def test_no_secret_in_a_traceback(serve: Any, connect: Any) -> None:
    async with serve(echo_error) as address, connect(address, auth=WAYS["key"], environ=SECRETS) as client:
        with pytest.raises(TypeError) as caught:
            await client.upgrade(INSTANCE, None, "1", "2")
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    text = "".join(told.format())
    assert "Caller" in text
    for secret in SECRETS.values():
        assert secret not in text
