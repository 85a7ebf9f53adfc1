"""An answer belongs to its question: what a connection may bring that was not asked for, as bytes on real sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from orchestrator.cloud.reading.answer import Answer
from orchestrator.cloud.wire.connector import AnswerEnd
from orchestrator.cloud.wire.transport import Transport, open_transport
from orchestrator.model.plan.plan import Http
from orchestrator.model.reply.reply import Doubtful, NotSent

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("each_way")]


def said(number: int, *, request_id: bool = True, heads: bytes = b"") -> bytes:
    head = b"X-Request-Id: r-%d\r\n" % number if request_id else heads
    return b"HTTP/1.1 200 OK\r\nDate: Thu, 06 Aug 2026 12:00:00 GMT\r\n%bContent-Length: 1\r\n\r\n%d" % (head, number)


class Scripted:
    """Answers request n with `said(n)`, after `before[n]` and before `after[n]`; says `unasked[n]` when it is let."""

    def __init__(self, *, request_id: bool = True) -> None:
        self.request_id = request_id
        self.heads = b""
        self.requests = 0
        self.connections = 0
        self.before: dict[int, bytes] = {}
        self.after: dict[int, bytes] = {}
        self.greeting = b""
        self.open: list[asyncio.StreamWriter] = []

    @asynccontextmanager
    async def __call__(self, clock: Any) -> AsyncIterator[tuple[Transport, str]]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        http = Http(connect_timeout_s=5.0, timeout_s=5.0)
        async with open_transport(http, connections=5, environ={}, clock=clock, reuse_within_s=600.0) as transport:
            yield transport, address
        server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open.append(writer)
        writer.write(self.greeting)
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                self.requests += 1
                number = self.requests
                answer = said(number, request_id=self.request_id, heads=self.heads)
                writer.write(self.before.get(number, b"") + answer + self.after.get(number, b""))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def say(self, unasked: bytes) -> None:
        """On the newest connection, at once in the other side's hands."""
        self.open[-1].write(unasked)
        await self.open[-1].drain()


async def ask(transport: Transport, address: str, method: str = "GET") -> Any:
    route = transport.route(address)
    return await transport.send(route, method, "/", CIMultiDict({"Host": route.host}))


def bodies(*answers: Any) -> list[bytes | None]:
    return [answer.body if isinstance(answer, Answer) else None for answer in answers]


async def test_reads_share_a_connection_and_anything_else_has_its_own(clock: Any) -> None:
    server = Scripted()
    async with server(clock) as (transport, address):
        assert bodies(*[await ask(transport, address) for _ in range(3)]) == [b"1", b"2", b"3"]
        assert server.connections == 1
        assert bodies(*[await ask(transport, address, "POST") for _ in range(3)]) == [b"4", b"5", b"6"]
        assert server.connections == 4
        assert bodies(await ask(transport, address)) == [b"7"]
        assert server.connections == 4


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("more", [said(1), said(1)[:20], b"\r\n", b"x"], ids=["answer", "half", "line", "garbage"])
async def test_bytes_that_come_with_an_answer_are_not_the_next_one(clock: Any, method: str, more: bytes) -> None:
    server = Scripted(request_id=False)
    server.after[1] = more
    async with server(clock) as (transport, address):
        first, second = await ask(transport, address), await ask(transport, address, method)
    assert bodies(first, second) == [b"1", b"2"]
    assert server.connections == 2


@given(
    st.binary(max_size=20),
    st.binary(max_size=20),
    st.lists(st.integers(0, 120), max_size=5),
    st.sampled_from([b"Content-Length", b"content-length", b"CONTENT-LENGTH"]),
)
def test_an_answer_is_told_from_what_follows_it_however_it_comes(
    body: bytes, more: bytes, cuts: list[int], name: bytes
) -> None:
    answer = b"HTTP/1.1 200 OK\r\nDate: today\r\n%b: %d\r\n\r\n%b" % (name, len(body), body)
    whole = answer + more
    ends = sorted({min(cut, len(whole)) for cut in cuts} | {len(whole)})
    end = AnswerEnd()
    halves = [end.split(whole[start:stop]) for start, stop in zip([0, *ends], ends, strict=False) if stop > start]
    assert b"".join(ours for ours, _ in halves) == answer
    assert b"".join(theirs for _, theirs in halves) == more


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\nContent-Length: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Content-Length: 1\r\n\r\n",
        b"no end of a head",
    ],
)
def test_an_answer_whose_end_is_not_known_is_not_cut(head: bytes) -> None:
    assert AnswerEnd().split(head + b"1234") == (head + b"1234", b"")


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("turns", [0, 5], ids=["still unread", "read already"])
@pytest.mark.parametrize("more", [said(1), said(1)[:20], b"\r\n", b"x"], ids=["answer", "half", "line", "garbage"])
async def test_bytes_on_an_idle_connection_close_it(clock: Any, method: str, turns: int, more: bytes) -> None:
    server = Scripted(request_id=False)
    async with server(clock) as (transport, address):
        first = await ask(transport, address)
        server.open[-1].write(more)  # no turn of the loop from here on: in the kernel, and read by nobody
        for _ in range(turns):
            await asyncio.sleep(0)
        second = await ask(transport, address, method)
    assert bodies(first, second) == [b"1", b"2"]
    assert server.connections == 2


async def test_an_answer_that_is_sent_once_more_as_the_next_request_comes_is_in_doubt(clock: Any) -> None:
    server = Scripted()
    server.before[2] = said(1)
    async with server(clock) as (transport, address):
        first, second, third = [await ask(transport, address) for _ in range(3)]
    assert bodies(first, second, third) == [b"1", None, b"3"]
    assert isinstance(second, Doubtful)
    assert second.reason.endswith("sent the answer to an earlier request once more")
    assert server.connections == 2


async def test_a_request_id_that_is_the_same_for_all_requests_shows_nothing(clock: Any) -> None:
    server = Scripted(request_id=False)
    server.heads = b"X-Request-Id: always\r\n"
    async with server(clock) as (transport, address):
        answers = [await ask(transport, address) for _ in range(6)]
    assert bodies(*answers) == [b"1", None, b"3", b"4", b"5", b"6"]  # the second one teaches it
    assert server.connections == 2


async def test_an_upgrade_never_gets_the_answer_to_an_earlier_request(clock: Any) -> None:
    """Whatever the moment at which it comes: it comes on another connection."""
    server = Scripted(request_id=False)
    async with server(clock) as (transport, address):
        assert bodies(await ask(transport, address, "POST")) == [b"1"]
        await server.say(said(1))
        assert bodies(await ask(transport, address, "POST")) == [b"2"]


async def test_who_answers_before_being_asked_is_not_believed(clock: Any, monkeypatch: Any) -> None:
    server = Scripted()
    server.greeting = said(9)
    connect = asyncio.get_running_loop().create_connection

    async def slow(*args: Any, **kwargs: Any) -> Any:
        made = await connect(*args, **kwargs)
        for _ in range(1_000):  # until the greeting was read, by the same loop that sends it
            await asyncio.sleep(0)
            if not made[1].silent:
                break
        return made

    async with server(clock) as (transport, address):
        monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", slow)
        outcome = await ask(transport, address, "POST")
    assert isinstance(outcome, NotSent)
    assert "spoke before it was asked" in outcome.reason
    assert server.requests == 0
