"""What came back, and whether it can be trusted: against real sockets."""

import asyncio
import gzip
from inspect import signature
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from multidict import CIMultiDict

from orchestrator.cloud.reading.answer import Answer
from orchestrator.cloud.wire.faults import WORDS
from orchestrator.cloud.wire.transport import MAX_ANSWER_BYTES, REUSE_WITHIN_S, open_transport
from orchestrator.model.plan.plan import Http
from orchestrator.model.reply.reply import Doubtful, NotSent

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("each_way")]

#: For a server that answers nobody; long enough to connect on a busy machine.
HASTY = Http(timeout_s=1.0)


async def silent(_request: web.Request) -> Any:
    """Hold the answer until the caller goes away, or the server stops."""
    await asyncio.Event().wait()


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


async def test_an_answer_comes_back_whole_and_the_url_is_sent_as_it_is(send: Any, serve: Any, clock: Any) -> None:
    seen: list[Any] = []

    async def handler(request: web.Request) -> Any:
        seen.append(request.raw_path)
        return web.Response(text="x" * 100_000, headers={"X-Request-Id": "r"})

    async with serve(handler) as address:
        answer = await send(address, clock)
    assert isinstance(answer, Answer)
    assert (answer.status, len(answer.body), answer.headers["x-request-id"]) == (200, 100_000, "r")
    assert seen == ["/a%2Fb?c=d%20e"]


async def test_no_answer_is_doubtful(send: Any, raw_server: Any, clock: Any) -> None:
    async with raw_server(b"") as address:
        outcome = await send(address, clock, http=HASTY)
    assert isinstance(outcome, Doubtful)
    assert outcome.exchange.http_status is None


async def test_silence_is_doubtful(send: Any, serve: Any, clock: Any) -> None:
    async with serve(silent) as address:
        outcome = await send(address, clock, http=HASTY)
    assert isinstance(outcome, Doubtful)
    assert "within 1 s" in outcome.reason


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_disconnect_after_sending_is_doubtful_and_nothing_is_sent_again(
    send: Any, raw_server: Any, clock: Any, method: str
) -> None:
    raw = raw_server((b"",), OK)
    async with raw as address:
        outcome = await send(address, clock, method=method)
    assert isinstance(outcome, Doubtful)
    assert raw.requests == 1


async def test_a_reused_connection_that_breaks_is_not_replaced(send: Any, raw_server: Any, clock: Any) -> None:
    raw = raw_server(OK, (b"",), OK)
    async with raw as address:
        first, second = await send(address, clock, method="GET", times=2)
    assert isinstance(first, Answer)
    assert isinstance(second, Doubtful)
    assert (raw.requests, raw.connections) == (2, 1)


async def test_a_connection_that_the_server_closed_meanwhile_is_not_used(
    send: Any, raw_server: Any, clock: Any
) -> None:
    raw = raw_server((OK,), OK)
    async with raw as address:
        first, second = await send(address, clock, method="GET", times=2, pause_s=0.02)
    assert isinstance(first, Answer)
    assert isinstance(second, Answer)
    assert raw.connections == 2


@pytest.mark.parametrize(("reuse_within_s", "connections"), [(600.0, 1), (0.01, 2)])
async def test_an_idle_connection_is_reused_only_for_a_while(
    send: Any, raw_server: Any, clock: Any, reuse_within_s: float, connections: int
) -> None:
    raw = raw_server(OK, OK)
    async with raw as address:
        outcomes = await send(address, clock, method="GET", times=2, pause_s=0.03, reuse_within_s=reuse_within_s)
    assert all(isinstance(outcome, Answer) for outcome in outcomes)
    assert raw.connections == connections


def test_that_while_is_five_seconds() -> None:
    """The contract's number: within it a gateway does not close a connection silently."""
    assert REUSE_WITHIN_S == signature(open_transport).parameters["reuse_within_s"].default == 5.0


@pytest.mark.parametrize(
    "script",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"HTTP/1.1 400 Bad\r\nContent-Length: 50\r\n\r\n{",
    ],
)
async def test_cut_body_is_doubtful(send: Any, raw_server: Any, clock: Any, script: Any) -> None:
    async with raw_server((script,)) as address:
        outcome = await send(address, clock)
    assert isinstance(outcome, Doubtful)
    assert outcome.exchange.http_status == int(script.split()[1])


async def test_slow_body_is_doubtful(send: Any, serve: Any, clock: Any) -> None:
    async def slow(request: web.Request) -> Any:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"{")
        return await silent(request)

    async with serve(slow) as address:
        outcome = await send(address, clock, http=HASTY)
    assert isinstance(outcome, Doubtful)
    assert outcome.exchange.http_status == 200


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"SSH-2.0-TOKEN\r\n\r\n", "no status line"),
        (b"HTTP/1.1 TOKEN OK\r\n\r\n", "no status line"),
        (b"HTTP/1.1 200 OK\r\nX-Subject-Token: " + b"TOKEN" * 20000 + b"\r\n\r\n", "a line or header is too long"),
        (b"HTTP/1.1 200 OK\r\nX-Sub ject: TOKEN\r\n\r\n", "a header is malformed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: TOKEN\r\n\r\n", "malformed"),
    ],
)
async def test_what_is_not_http_is_doubtful_and_not_quoted(
    send: Any, raw_server: Any, clock: Any, said: bytes, why: str
) -> None:
    async with raw_server((said,)) as address:
        outcome = await send(address, clock)
    assert isinstance(outcome, Doubtful)
    assert "did not answer with HTTP: " in outcome.reason
    assert why in outcome.reason
    assert "TOKEN" not in outcome.reason


@pytest.mark.parametrize("packed", [False, True])
async def test_a_huge_answer_is_not_read_to_its_end(send: Any, serve: Any, clock: Any, *, packed: bool) -> None:
    async def huge(_request: web.Request) -> Any:
        body = b"x" * (MAX_ANSWER_BYTES + 1)
        headers = {"Content-Encoding": "gzip"} if packed else {}
        return web.Response(body=gzip.compress(body) if packed else body, headers=headers)

    async with serve(huge) as address:
        outcome = await send(address, clock)
    assert isinstance(outcome, Doubtful)
    assert "larger than 1 MiB" in outcome.reason


async def test_unreadable_encoding_is_doubtful(send: Any, serve: Any, clock: Any) -> None:
    async def broken(_request: web.Request) -> Any:
        return web.Response(body=b"not gzip", headers={"Content-Encoding": "gzip"})

    async with serve(broken) as address:
        outcome = await send(address, clock)
    assert isinstance(outcome, Doubtful)


async def test_redirects_are_not_followed_and_cookies_not_kept(send: Any, serve: Any, clock: Any) -> None:
    seen: list[Any] = []

    async def away(request: web.Request) -> Any:
        seen.append((request.path, request.headers.get("Cookie")))
        return web.Response(status=307, headers={"Location": "/elsewhere", "Set-Cookie": "a=b"})

    async with serve(away) as address:
        outcomes = await send(address, clock, times=2)
    assert [outcome.status for outcome in outcomes] == [307, 307]
    assert seen == [("/a/b", None)] * 2


async def test_long_tokens_fit_into_a_header(send: Any, serve: Any, clock: Any) -> None:
    async def generous(_request: web.Request) -> Any:
        return web.Response(status=201, headers={"X-Subject-Token": "t" * 20_000})

    async with serve(generous) as address:
        outcome = await send(address, clock)
    assert isinstance(outcome, Answer)
    assert len(outcome.headers["X-Subject-Token"]) == 20_000


async def test_a_cancelled_call_stays_cancelled(send: Any, serve: Any, clock: Any) -> None:
    arrived = asyncio.Event()

    async def held(request: web.Request) -> Any:
        arrived.set()
        return await silent(request)

    async with serve(held) as address:
        call = asyncio.create_task(send(address, clock))
        await arrived.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call


async def test_a_header_that_cannot_be_written_was_not_sent(serve: Any, clock: Any) -> None:
    seen: list[Any] = []

    async def handler(request: web.Request) -> Any:
        seen.append(request)
        return web.Response()

    async with serve(handler) as address, open_transport(Http(), connections=1, environ={}, clock=clock) as transport:
        headers = CIMultiDict({"X-Auth-Token": "a\r\nb"})
        outcome = await transport.send(transport.route(address), "GET", "/", headers)
    assert type(outcome) in (NotSent, Doubtful)
    assert seen == []


def test_every_exception_of_aiohttp_has_words() -> None:
    module = aiohttp.client_exceptions
    known = {
        name
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Exception) and value.__module__ == module.__name__
    }
    assert known <= set(WORDS), "aiohttp has exceptions that nobody mapped"
