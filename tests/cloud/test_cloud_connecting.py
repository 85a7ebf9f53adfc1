"""Requests that never left, and why: closed ports, names, certificates, proxies."""

import asyncio
import socket
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web
from multidict import CIMultiDict

from orchestrator.cloud.reading.answer import Answer
from orchestrator.cloud.wire.transport import open_transport
from orchestrator.errors import PlanError
from orchestrator.model.plan.plan import Http
from orchestrator.model.reply.reply import NotSent

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("each_way")]

#: For a server that accepts nobody.
HASTY = Http(connect_timeout_s=0.05)


async def test_closed_port_was_not_sent(send: Any, clock: Any) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    outcome = await send(f"http://127.0.0.1:{port}", clock)
    assert isinstance(outcome, NotSent)
    assert outcome.reason == f"connection refused by 127.0.0.1:{port}"


async def test_unknown_name_was_not_sent(send: Any, clock: Any) -> None:
    outcome = await send("https://no-such-host.invalid", clock, http=Http(connect_timeout_s=5.0, timeout_s=5.0))
    assert isinstance(outcome, NotSent)
    assert "no-such-host.invalid" in outcome.reason


async def test_names_that_nobody_answers_for_keep_no_other_name_waiting(
    serve: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More of them than an event loop has common threads."""
    system, answered = socket.getaddrinfo, threading.Event()

    def name_server(host: str, *args: Any, **options: Any) -> Any:
        if host == "answers.example":
            return system("127.0.0.1", *args, **options)
        answered.wait()
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    async with serve(hello) as address, open_transport(Http(), connections=1, environ={}, clock=clock) as transport:
        monkeypatch.setattr(socket, "getaddrinfo", name_server)

        async def ask(host: str) -> object:
            route = transport.route(f"http://{host}:{address.rsplit(':', 1)[1]}")
            return await transport.send(route, "GET", "/", CIMultiDict(Host=host))

        async with asyncio.TaskGroup() as group:
            hanging = [group.create_task(ask(f"hangs-{number}.example")) for number in range(40)]
            outcome = await group.create_task(ask("answers.example"))
            answered.set()
    assert isinstance(outcome, Answer)
    assert all(isinstance(each.result(), NotSent) for each in hanging)


async def test_never_connecting_was_not_sent(send: Any, clock: Any) -> None:
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


async def test_untrusted_certificate_was_not_sent(send: Any, serve: Any, clock: Any, tls: ssl.SSLContext) -> None:
    async with serve(hello, ssl=tls) as address:
        outcome = await send(address, clock)
    assert isinstance(outcome, NotSent)
    assert outcome.reason.startswith(f"certificate verify failed for {address.removeprefix('https://')}: ")
    assert "http.ca_file" in outcome.reason


async def test_certificate_of_another_host_was_not_sent(
    send: Any, serve: Any, clock: Any, authority: trustme.CA, tmp_path: Path
) -> None:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.example").configure_cert(context)
    async with serve(hello, ssl=context) as address:
        outcome = await send(address, clock, http=Http(ca_file=str(tmp_path / "ca.pem")))
    assert isinstance(outcome, NotSent)
    assert "127.0.0.1" in outcome.reason


async def test_own_authority_is_trusted_when_named(
    send: Any, serve: Any, clock: Any, authority: trustme.CA, tls: ssl.SSLContext, tmp_path: Path
) -> None:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    async with serve(hello, ssl=tls) as address:
        outcome = await send(address, clock, http=Http(ca_file=str(tmp_path / "ca.pem")))
    assert isinstance(outcome, Answer)


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_unusable_ca_file_names_itself(send: Any, clock: Any, tmp_path: Path, content: Any) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(PlanError, match=r"http\.ca_file: .*ca\.pem"):
        await send("https://127.0.0.1:1", clock, http=Http(ca_file=str(path)))


async def test_https_to_a_plain_port_was_not_sent(send: Any, serve: Any, clock: Any) -> None:
    async with serve(hello) as address:
        outcome = await send(address.replace("http:", "https:"), clock)
    assert isinstance(outcome, NotSent)
    assert "https" in outcome.reason


async def test_environment_names_the_proxy_but_not_for_this_machine(send: Any, serve: Any, clock: Any) -> None:
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


async def test_a_proxy_that_refuses_the_tunnel_was_not_sent(send: Any, raw_server: Any, clock: Any) -> None:
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    async with raw_server((refusal,)) as address:
        outcome = await send("https://gaussdb.example", clock, environ={"HTTPS_PROXY": address})
    assert isinstance(outcome, NotSent)
    assert "407" in outcome.reason


async def test_a_call_beyond_the_connections_of_a_host_waits_and_was_not_sent(serve: Any, clock: Any) -> None:
    seen: list[Any] = []
    arrived, gate = asyncio.Event(), asyncio.Event()

    async def held(request: web.Request) -> Any:
        seen.append(request)
        arrived.set()
        await gate.wait()
        return web.Response()

    http = Http(connect_timeout_s=0.5)
    async with serve(held) as address, open_transport(http, connections=1, environ={}, clock=clock) as transport:
        route = transport.route(address)
        first = asyncio.create_task(transport.send(route, "GET", "/", CIMultiDict({"Host": route.host})))
        await arrived.wait()
        second = await transport.send(route, "GET", "/", CIMultiDict({"Host": route.host}))
        gate.set()
        assert isinstance(await first, Answer)
    assert isinstance(second, NotSent)
    assert len(seen) == 1
