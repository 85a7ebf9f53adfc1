"""The lean way through aiohttp is the same on the wire as its own, and is left where that aiohttp is another one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp.connector import Connection
from multidict import CIMultiDict

from orchestrator.cloud.reading.answer import Answer
from orchestrator.cloud.wire import lean, transport
from orchestrator.model.plan.plan import Http
from orchestrator.model.reply.reply import Doubtful

pytestmark = pytest.mark.anyio

HEADERS = CIMultiDict(
    {
        "Accept": "application/json",
        "Accept-Encoding": "gzip, deflate",
        "User-Agent": "x",
        "Content-Type": "application/json",
        "Host": "cloud",
        "X-Auth-Token": "t",
    }
)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Wire:
    """Keeps what comes, and answers the n-th request so many seconds late."""

    def __init__(self, *late_s: float) -> None:
        self.late_s = list(late_s)
        self.came: list[bytes] = []
        self.connections = 0

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while data := await reader.read(1 << 16):
                self.came.append(data)
                await asyncio.sleep(self.late_s.pop(0) if self.late_s else 0)
                writer.write(OK)
        except ConnectionError:
            pass
        finally:
            writer.close()


async def sent(clock: Any, method: str, body: bytes | None) -> tuple[list[str], bytes]:
    """The head of a request as it comes, its lines in order, and its body."""
    wire = Wire()
    async with wire.served() as address:
        opened = transport.open_transport(Http(), connections=1, environ={}, clock=clock)
        async with opened as way:
            route = way.route(address)
            assert isinstance(await way.send(route, method, "/a%2Fb?c=d%20e", HEADERS, body), Answer)
    first, _, rest = b"".join(wire.came).partition(b"\r\n")
    head, _, content = rest.partition(b"\r\n\r\n")
    return [first.decode(), *sorted(head.decode().lower().split("\r\n"))], content


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("POST", b"{}"), ("POST", None)])
async def test_it_is_the_same_on_the_wire(
    clock: Any, method: str, body: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "_LEAN", True)
    lean_way = await sent(clock, method, body)
    monkeypatch.setattr(transport, "_LEAN", False)
    assert lean_way == await sent(clock, method, body)


async def test_a_connection_on_which_an_answer_was_given_up_is_used_no_more(clock: Any) -> None:
    wire = Wire(5.0)
    async with wire.served() as address:
        opened = transport.open_transport(Http(timeout_s=0.2), connections=1, environ={}, clock=clock)
        async with opened as way:
            route = way.route(address)
            assert isinstance(await way.send(route, "GET", "/", CIMultiDict({"Host": "cloud"})), Doubtful)
            assert isinstance(await way.send(route, "GET", "/", CIMultiDict({"Host": "cloud"})), Answer)
    assert wire.connections == 2


@pytest.mark.parametrize("target", ["/a b", "/a\r\nX-Y: z", "/\x00", "/ä"])
async def test_what_is_no_target_is_not_sent(clock: Any, target: str) -> None:
    wire = Wire()
    async with wire.served() as address:
        opened = transport.open_transport(Http(), connections=1, environ={}, clock=clock)
        async with opened as way:
            await way.send(way.route(address), "GET", target, CIMultiDict({"Host": "cloud"}))
    assert wire.came == []


def test_with_an_aiohttp_that_is_another_one_every_call_goes_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lean.usable()
    monkeypatch.setitem(lean._NEEDED, Connection.release, {"self", "gently"})
    assert not lean.usable()
