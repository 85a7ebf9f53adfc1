"""Whatever goes wrong, no secret is in anything that the package gives back, logs or raises."""

import asyncio
import json
import logging
import traceback
from itertools import count
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import web
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.cloud.secrets.registry import Secrets
from orchestrator.cloud.secrets.secret import HIDDEN, Secret
from orchestrator.model.plan.auth import Auth
from orchestrator.model.reply.reply import Answered, Entry

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
        said += [await client.renew(), vars(client), vars(client._caller), vars(client._caller._renewal)]
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


async def test_a_long_token_in_a_page_is_hidden_although_the_page_is_cut(serve: Any, connect: Any) -> None:
    token = "MIIS" + "".join(f"{number:08x}" for number in range(1000, 1500))

    async def page(request: web.Request) -> Any:
        return web.Response(text=f"<html>Bad Gateway {request.headers['X-Auth-Token']}</html>", status=502)

    environ = {"TOKEN": token}
    async with serve(page) as address, connect(address, auth=WAYS["token"], environ=environ) as client:
        reply = await client.proxy_version(INSTANCE, PROXY)
    assert "Bad Gateway" in reply.reason
    assert not any(token[at : at + 8] in repr(reply) for at in range(len(token) - 8))


async def test_what_was_sent_before_a_renewal_is_hidden_after_it(serve: Any, connect: Any) -> None:
    environ = {"TOKEN": SECRETS["TOKEN"]}
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow_echo(request: web.Request) -> Any:
        asked.set()
        await go_on.wait()
        return web.json_response({"error_msg": request.headers["X-Auth-Token"]}, status=400)

    async with serve(slow_echo) as address, connect(address, auth=WAYS["token"], environ=environ) as client:
        late = asyncio.create_task(client.proxy_version(INSTANCE, PROXY))
        await asked.wait()
        environ["TOKEN"] = "quite-another-token"
        await client.renew()
        go_on.set()
        assert (await late).reason == HIDDEN


async def test_a_password_with_quotes_is_hidden_in_the_body_that_it_was_sent_in(serve: Any, connect: Any) -> None:
    password = 's3cr3t "pass" \\ phräse'

    async def echo_body(request: web.Request) -> Any:
        return web.json_response({"error": {"code": 401, "message": (await request.read()).decode()}}, status=401)

    environ = {"PASSWORD": password}
    async with (
        serve(echo_body) as address,
        connect(address, auth=WAYS["password"], environ=environ, prepared=False) as client,
    ):
        told = repr(await client.prepare())
    assert "methods" in told
    for piece in ("s3cr3t", "phr"):
        assert piece not in told


async def test_no_secret_in_any_field_of_a_reply_that_was_understood(serve: Any, connect: Any) -> None:
    numbers = count()

    async def quote_everywhere(request: web.Request) -> Any:
        said = f"{next(numbers)}: see {request.headers['X-Auth-Token']}"
        job = dict.fromkeys(("job_id", "job_name", "status", "fail_reason", "process", "instance_id", "extra"), said)
        rows = [{said: said, "pool_id": PROXY, "status": said, "nodes": [{"status": said}]}]
        body = {
            "current_version": said,
            "latest_version": said,
            "update_result": [{"instance_id": said, "state": said, "error_message": said}],
            "jobs": [job],
            "proxy_list": rows,
            "instances": rows,
        }
        return web.json_response(body, headers={"X-Request-Id": said})

    async with serve(quote_everywhere) as address, connect(address, auth=WAYS["token"], environ=SECRETS) as client:
        replies = [
            await client.upgrade(INSTANCE, PROXY, "1", "2"),
            await client.proxy_version(INSTANCE, PROXY),
            await client.proxy_health(INSTANCE, PROXY),
            await client.jobs(offset=0),
            await client.proxies(INSTANCE),
            await client.instances(offset=0),
        ]
    for reply in replies:
        assert isinstance(reply, Answered)
        assert HIDDEN in repr(reply)
        assert SECRETS["TOKEN"] not in repr(reply)


async def test_a_secret_in_the_place_of_a_workflow_id_is_no_id(serve: Any, connect: Any) -> None:
    async def quote_as_id(request: web.Request) -> Any:
        entry = {"instance_id": INSTANCE, "state": "ACCEPT", "workflow_id": request.headers["X-Auth-Token"]}
        return web.json_response({"update_result": [entry]})

    async with serve(quote_as_id) as address, connect(address, auth=WAYS["token"], environ=SECRETS) as client:
        reply = await client.upgrade(INSTANCE, PROXY, "1", "2")
    assert reply.value == (Entry(instance_id=INSTANCE, state="ACCEPT"),)


@pytest.mark.parametrize("status", [200, 400, 502])
async def test_the_start_of_a_secret_is_not_left_by_a_cut(serve: Any, connect: Any, status: int) -> None:
    """An excerpt has 160 letters and a request id 128: the first seven of the token are among them."""

    async def page(request: web.Request) -> Any:
        token, headers = (
            request.headers["X-Auth-Token"],
            {"X-Request-Id": f"{'x' * 121}{request.headers['X-Auth-Token']}"},
        )
        return web.Response(status=status, text=f"{'x' * 152}{token}", content_type="text/html", headers=headers)

    async with serve(page) as address, connect(address, auth=WAYS["token"], environ=SECRETS) as client:
        reply = await client.proxy_version(INSTANCE, PROXY)
    assert SECRETS["TOKEN"][:4] not in repr(reply)
    assert HIDDEN in reply.reason
    assert HIDDEN in reply.exchange.request_id


async def test_the_start_of_a_secret_is_not_left_by_a_cut_of_the_request_id_of_an_answer(
    serve: Any, connect: Any
) -> None:
    async def answer(request: web.Request) -> Any:
        headers = {"X-Request-Id": f"{'x' * 121}{request.headers['X-Auth-Token']}"}
        return web.json_response({"current_version": "1"}, headers=headers)

    async with serve(answer) as address, connect(address, auth=WAYS["token"], environ=SECRETS) as client:
        reply = await client.proxy_version(INSTANCE, PROXY)
    assert reply.exchange.request_id == f"{'x' * 121}***"


@given(
    secret=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=60),
    before=st.text("äöü ", max_size=20),
    after=st.text("äöü ", max_size=20),
    written=st.sampled_from([str, lambda text: json.dumps(text)[1:-1], quote]),
    cut=st.integers(0, 40),
)
@example(secret="000%00\\0", before="", after="", written=lambda text: json.dumps(text)[1:-1], cut=1)
@example(secret="a&amp;b%41\\c", before="", after="", written=lambda text: json.dumps(text)[1:-1], cut=40)
@example(secret="a\\nb%41&lt;c", before="", after="", written=quote, cut=40)
def test_no_eight_letters_of_a_secret_are_left(secret: str, before: str, after: str, written: Any, cut: int) -> None:
    text = before + written(secret)[: 8 + cut] + after
    secrets = Secrets()
    secrets.learn("test", Secret(secret))
    left = secrets.hide(text)
    assert not any(written(secret[at : at + 8]) in left for at in range(len(secret) - 7))
    assert left.startswith(before)
    assert left.endswith(after)
    assert secrets.hide(before + after) == before + after
