"""One request and its answer on a connection of aiohttp's, without the objects that it makes of both.

They take half of what HTTP costs, for redirects, cookies and hooks that no call of this program has. What is used
here of aiohttp is not all public: `usable` looks at it, and without it every call goes by the session, as before
(docs/adr/0012-a-lean-way-through-aiohttp.md). Nothing is different on the wire, or in what an error is called.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from inspect import signature
from typing import Any

import aiohttp
from aiohttp import ClientRequest, ClientSession, http_writer
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import BaseConnector, Connection
from aiohttp.helpers import HeadersMixin
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import RawResponseMessage
from aiohttp.streams import StreamReader
from multidict import CIMultiDict
from yarl import URL

#: Tokens travel in headers and are several kB long; the gateway allows 32 kB (api-sign-errorcode, APIGW.0201).
MAX_HEADER_BYTES = 64 << 10

#: What is asked of aiohttp, by the names of the parameters.
_NEEDED: dict[Callable[..., Any], set[str]] = {
    ResponseHandler.set_response_params: {"read_until_eof", "max_field_size"},
    ResponseHandler.read: {"self"},
    BaseConnector.connect: {"req", "traces", "timeout"},
    Connection.release: {"self"},
    ClientRequest.__init__: {"method", "url", "session", "loop"},
}


def usable() -> bool:
    """Whether the installed aiohttp has all that is used of it here."""
    known = all(names <= signature(each).parameters.keys() for each, names in _NEEDED.items())
    return known and callable(getattr(http_writer, "_serialize_headers", None))


class LeanAnswer(HeadersMixin):
    """An answer whose head has come."""

    def __init__(self, message: RawResponseMessage, content: StreamReader, connection: Connection) -> None:
        self.status, self.content, self._connection = message.code, content, connection
        self.headers = self._headers = message.headers
        self.raw_headers = message.raw_headers

    def close(self) -> None:
        """Use the connection no more."""
        self._connection.close()


def pattern_of(session: ClientSession, base: str) -> ClientRequest:
    """What the connector is asked with for connections to a base address."""
    return ClientRequest("GET", URL(base), session=session, loop=asyncio.get_running_loop())


@asynccontextmanager
async def lean_request(
    session: ClientSession,
    pattern: ClientRequest,
    line: tuple[str, str],
    headers: CIMultiDict[str],
    body: bytes | None,
) -> AsyncIterator[LeanAnswer]:
    """Send a request; the block reads the answer to its end. It raises what the session would.

    Args:
        session: whose connector and time-outs are used.
        pattern: of the address, see `pattern_of`.
        line: method and target.
        headers: all but those that say how long the body and the connection last.
        body: the bytes, if any.
    """
    if (connector := session.connector) is None:
        raise aiohttp.ClientConnectionError("the session is closed")
    data = _written(line, headers, body, closes=connector.force_close)
    async with asyncio.timeout(session.timeout.total):
        try:
            connection = await connector.connect(pattern, [], session.timeout)
        except TimeoutError as error:
            raise aiohttp.ConnectionTimeoutError from error
        try:
            yield await _asked(connection, data, pattern)
        except BaseException:
            connection.close()
            raise
        connection.release()


def _written(line: tuple[str, str], headers: CIMultiDict[str], body: bytes | None, *, closes: bool) -> bytes:
    method, target = line
    if not (target.isascii() and target.isprintable()) or " " in target:
        raise ValueError("the target cannot be written")
    headers, body = headers.copy(), body or b""
    if body or method != "GET":
        headers["Content-Length"] = str(len(body))
    if closes:
        headers["Connection"] = "close"
    head: bytes = http_writer._serialize_headers(f"{method} {target} HTTP/1.1", headers)  # noqa: SLF001  # in C
    return head + body


async def _asked(connection: Connection, data: bytes, pattern: ClientRequest) -> LeanAnswer:
    protocol, transport = connection.protocol, connection.transport
    if protocol is None or transport is None or transport.is_closing():
        raise aiohttp.ClientConnectionResetError("closed before anything was written")
    protocol.set_response_params(read_until_eof=True, max_field_size=MAX_HEADER_BYTES)
    transport.write(data)
    while True:
        try:
            message, content = await protocol.read()
        except HttpProcessingError as error:
            raise aiohttp.ClientResponseError(pattern.request_info, (), status=error.code) from error
        if message.code // 100 != 1 or message.code == 101:  # noqa: PLR2004  # an interim answer is none
            return LeanAnswer(message, content, connection)
