"""Whether a request left, and what came back: against real sockets."""

import asyncio
import gzip
import socket
import ssl
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import trustme
from aiohttp import web
from multidict import CIMultiDict

from orchestrator.cloud.answer import Answer
from orchestrator.cloud.faults import WORDS
from orchestrator.cloud.transport import MAX_ANSWER_BYTES, open_transport
from orchestrator.errors import PlanError
from orchestrator.model.plan import Http
from orchestrator.model.reply import Doubtful, NotSent

pytestmark = pytest.mark.anyio

HTTP = Http(connect_timeout_s=1.0, timeout_s=2.0)
HASTY = Http(connect_timeout_s=0.05, timeout_s=0.1)


async def send(
    address: str,
    clock: Any,
    *,
    http: Any = HTTP,
    method: str = "POST",
    environ: Any = None,
    times: int = 1,
    reuse_within_s: float = 5.0,
    pause_s: float = 0.0,
) -> Any:
    outcomes = []
    async with open_transport(
        http, connections=5, environ=environ or {}, clock=clock, reuse_within_s=reuse_within_s
    ) as transport:
        route = transport.route(address)
        for _ in range(times):
            body = b"{}" if method == "POST" else None
            outcomes.append(
                await transport.send(route, method, "/a%2Fb?c=d%20e", CIMultiDict({"Host": route.host}), body)
            )
            await asyncio.sleep(pause_s)
    return outcomes[0] if times == 1 else outcomes


class Raw:
    """A server that speaks bytes: each request gets the next script; a tuple is written and then hung up."""

    def __init__(self, *scripts: Any) -> None:
        self.scripts = list(scripts)
        self.requests = 0
        self.connections = 0

    async def __aenter__(self) -> Any:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"

    async def __aexit__(self, *_: object) -> None:
        self.server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if b"ontent-Length: 2" in head:
                    await reader.readexactly(2)
                self.requests += 1
                script = self.scripts.pop(0)
                writer.write(script[0] if isinstance(script, tuple) else script)
                await writer.drain()
                if isinstance(script, tuple):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


async def test_an_answer_comes_back_whole_and_the_url_is_sent_as_it_is(serve: Any, clock: Any) -> None:
    seen: list[Any] = []

    async def handler(request: web.Request) -> Any:
        seen.append(request.raw_path)
        return web.Response(text="x" * 100_000, headers={"X-Request-Id": "r"})

    async with serve(handler) as address:
        answer = await send(address, clock)
    assert isinstance(answer, Answer)
    assert (answer.status, len(answer.body), answer.headers["x-request-id"]) == (200, 100_000, "r")
    assert seen == ["/a%2Fb?c=d%20e"]


async def test_closed_port_was_not_sent(clock: Any) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    outcome = await send(f"http://127.0.0.1:{port}", clock)
    assert isinstance(outcome, NotSent)
    assert outcome.reason == f"connection refused by 127.0.0.1:{port}"


async def test_unknown_name_was_not_sent(clock: Any) -> None:
    outcome = await send("https://no-such-host.invalid", clock, http=Http(connect_timeout_s=5.0, timeout_s=5.0))
    assert isinstance(outcome, NotSent)
    assert "no-such-host.invalid" in outcome.reason


async def test_never_connecting_was_not_sent(clock: Any) -> None:
    with socket.socket() as full:  # a listener whose queue is full accepts nobody
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.settimeout(0)
            filler.connect_ex(address)
        outcome = await send(f"http://127.0.0.1:{address[1]}", clock, http=HASTY)
        for filler in fillers:
            filler.close()
    assert isinstance(outcome, NotSent)
    assert outcome.reason == f"no connection to 127.0.0.1:{address[1]} within 0.05 s"


@pytest.fixture(scope="module")
def authority() -> Any:
    return trustme.CA()


@pytest.fixture(scope="module")
def tls(authority: trustme.CA) -> Any:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


async def hello(_request: web.Request) -> Any:
    return web.Response(text="{}")


async def test_untrusted_certificate_was_not_sent(serve: Any, clock: Any, tls: ssl.SSLContext) -> None:
    async with serve(hello, ssl=tls) as address:
        outcome = await send(address, clock)
    assert isinstance(outcome, NotSent)
    assert outcome.reason.startswith(f"certificate verify failed for {address.removeprefix('https://')}: ")
    assert "http.ca_file" in outcome.reason


async def test_certificate_of_another_host_was_not_sent(
    serve: Any, clock: Any, authority: trustme.CA, tmp_path: Path
) -> None:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.example").configure_cert(context)
    async with serve(hello, ssl=context) as address:
        outcome = await send(address, clock, http=Http(ca_file=str(tmp_path / "ca.pem")))
    assert isinstance(outcome, NotSent)
    assert "127.0.0.1" in outcome.reason


async def test_own_authority_is_trusted_when_named(
    serve: Any, clock: Any, authority: trustme.CA, tls: ssl.SSLContext, tmp_path: Path
) -> None:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    async with serve(hello, ssl=tls) as address:
        outcome = await send(address, clock, http=Http(ca_file=str(tmp_path / "ca.pem")))
    assert isinstance(outcome, Answer)


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_unusable_ca_file_names_itself(clock: Any, tmp_path: Path, content: Any) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(PlanError, match=r"http\.ca_file: .*ca\.pem"):
        await send("https://127.0.0.1:1", clock, http=Http(ca_file=str(path)))


async def test_https_to_a_plain_port_was_not_sent(serve: Any, clock: Any) -> None:
    async with serve(hello) as address:
        outcome = await send(address.replace("http:", "https:"), clock)
    assert isinstance(outcome, NotSent)
    assert "https" in outcome.reason


async def test_no_answer_is_doubtful(clock: Any) -> None:
    async with Raw(b"") as address:
        outcome = await send(address, clock, http=HASTY)
    assert isinstance(outcome, Doubtful)
    assert outcome.exchange.http_status is None


async def test_silence_is_doubtful(serve: Any, clock: Any) -> None:
    async def silent(_request: web.Request) -> Any:
        await asyncio.sleep(1)
        return web.Response()

    async with serve(silent) as address:
        outcome = await send(address, clock, http=HASTY)
    assert isinstance(outcome, Doubtful)
    assert "within 0.1 s" in outcome.reason


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_disconnect_after_sending_is_doubtful_and_nothing_is_sent_again(clock: Any, method: str) -> None:
    raw = Raw((b"",), OK)
    async with raw as address:
        outcome = await send(address, clock, method=method)
    assert isinstance(outcome, Doubtful)
    assert raw.requests == 1


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_reused_connection_that_breaks_is_not_replaced(clock: Any, method: str) -> None:
    raw = Raw(OK, (b"",), OK)
    async with raw as address:
        first, second = await send(address, clock, method=method, times=2)
    assert isinstance(first, Answer)
    assert isinstance(second, Doubtful)
    assert (raw.requests, raw.connections) == (2, 1)


async def test_a_connection_that_the_server_closed_meanwhile_is_not_used(clock: Any) -> None:
    raw = Raw((OK,), OK)
    async with raw as address:
        first, second = await send(address, clock, times=2, pause_s=0.02)
    assert isinstance(first, Answer)
    assert isinstance(second, Answer)
    assert raw.connections == 2


@pytest.mark.parametrize(("pause_s", "connections"), [(0.0, 1), (0.06, 2)])
async def test_an_idle_connection_is_reused_only_for_a_while(clock: Any, pause_s: float, connections: int) -> None:
    raw = Raw(OK, OK)
    async with raw as address:
        outcomes = await send(address, clock, times=2, pause_s=pause_s, reuse_within_s=0.03)
    assert all(isinstance(outcome, Answer) for outcome in outcomes)
    assert raw.connections == connections


@pytest.mark.parametrize(
    "script",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"HTTP/1.1 400 Bad\r\nContent-Length: 50\r\n\r\n{",
    ],
)
async def test_cut_body_is_doubtful(clock: Any, script: Any) -> None:
    async with Raw((script,)) as address:
        outcome = await send(address, clock)
    assert isinstance(outcome, Doubtful)
    assert outcome.exchange.http_status == int(script.split()[1])


async def test_slow_body_is_doubtful(serve: Any, clock: Any) -> None:
    async def slow(request: web.Request) -> Any:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"{")
        await asyncio.sleep(1)
        return response

    async with serve(slow) as address:
        outcome = await send(address, clock, http=HASTY)
    assert isinstance(outcome, Doubtful)
    assert outcome.exchange.http_status == 200


async def test_what_is_not_http_is_doubtful(clock: Any) -> None:
    async with Raw((b"SSH-2.0-OpenSSH_9.6\r\n\r\n",)) as address:
        outcome = await send(address, clock)
    assert isinstance(outcome, Doubtful)
    assert "did not answer with HTTP" in outcome.reason


@pytest.mark.parametrize("packed", [False, True])
async def test_a_huge_answer_is_not_read_to_its_end(serve: Any, clock: Any, *, packed: bool) -> None:
    async def huge(_request: web.Request) -> Any:
        body = b"x" * (MAX_ANSWER_BYTES + 1)
        headers = {"Content-Encoding": "gzip"} if packed else {}
        return web.Response(body=gzip.compress(body) if packed else body, headers=headers)

    async with serve(huge) as address:
        outcome = await send(address, clock)
    assert isinstance(outcome, Doubtful)
    assert "larger than 1 MiB" in outcome.reason


async def test_unreadable_encoding_is_doubtful(serve: Any, clock: Any) -> None:
    async def broken(_request: web.Request) -> Any:
        return web.Response(body=b"not gzip", headers={"Content-Encoding": "gzip"})

    async with serve(broken) as address:
        outcome = await send(address, clock)
    assert isinstance(outcome, Doubtful)


async def test_redirects_are_not_followed_and_cookies_not_kept(serve: Any, clock: Any) -> None:
    seen: list[Any] = []

    async def away(request: web.Request) -> Any:
        seen.append((request.path, request.headers.get("Cookie")))
        return web.Response(status=307, headers={"Location": "/elsewhere", "Set-Cookie": "a=b"})

    async with serve(away) as address:
        outcomes = await send(address, clock, times=2)
    assert [outcome.status for outcome in outcomes] == [307, 307]
    assert seen == [("/a/b", None)] * 2


async def test_long_tokens_fit_into_a_header(serve: Any, clock: Any) -> None:
    async def generous(_request: web.Request) -> Any:
        return web.Response(status=201, headers={"X-Subject-Token": "t" * 20_000})

    async with serve(generous) as address:
        outcome = await send(address, clock)
    assert isinstance(outcome, Answer)
    assert len(outcome.headers["X-Subject-Token"]) == 20_000


async def test_environment_names_the_proxy_but_not_for_this_machine(serve: Any, clock: Any) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = {"https_proxy": f"http://user:secret@127.0.0.1:{port}", "http_proxy": f"http://127.0.0.1:{port}"}
    outcome = await send("https://gaussdb.example", clock, environ=environ)
    assert isinstance(outcome, NotSent)
    assert outcome.reason.startswith(f"cannot connect to the proxy 127.0.0.1:{port}")
    assert "secret" not in repr(outcome)
    async with serve(hello) as address:
        assert isinstance(await send(address, clock, environ=environ), Answer)


async def test_a_proxy_that_refuses_the_tunnel_was_not_sent(clock: Any) -> None:
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    async with Raw((refusal,)) as address:
        outcome = await send("https://gaussdb.example", clock, environ={"HTTPS_PROXY": address})
    assert isinstance(outcome, NotSent)
    assert "407" in outcome.reason


async def test_a_cancelled_call_stays_cancelled(serve: Any, clock: Any) -> None:
    async def silent(_request: web.Request) -> Any:
        await asyncio.sleep(1)
        return web.Response()

    async with serve(silent) as address:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(send(address, clock), 0.05)


async def test_a_header_that_cannot_be_written_was_not_sent(serve: Any, clock: Any) -> None:
    seen: list[Any] = []

    async def handler(request: web.Request) -> Any:
        seen.append(request)
        return web.Response()

    async with serve(handler) as address, open_transport(HTTP, connections=1, environ={}, clock=clock) as transport:
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
