"""Send one HTTP request and bring back the answer, or say whether it left. The only user of aiohttp.

It never sends a request twice, follows no redirect, keeps no cookie, trusts no certificate that does not verify, waits
for nothing without an end, and reads no more than 1 MiB.
"""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

from aiohttp import (
    ClientConnectionError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)
from aiohttp.connector import Connection
from multidict import CIMultiDict
from yarl import URL

from orchestrator.cloud.answer import Answer
from orchestrator.cloud.clock import Clock
from orchestrator.cloud.environment_proxy import proxy_for
from orchestrator.cloud.faults import Place, words_for
from orchestrator.errors import PlanError
from orchestrator.model.plan import Http
from orchestrator.model.reply import Doubtful, Exchange, NotSent

MAX_ANSWER_BYTES = 1 << 20

#: A pooled connection is used again only this long after it delivered an answer: gateways close idle ones silently, and
#: a request written to such a connection is lost without anybody knowing whether it was executed.
REUSE_WITHIN_S = 5.0

#: Tokens travel in headers and are several kB long; the gateway allows 32 kB (api-sign-errorcode, APIGW.0201).
_MAX_HEADER_BYTES = 64 << 10

Headers = CIMultiDict[str]


class _Departure:
    """Whether a call has been given a connection, from where on its bytes may be on the wire."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = False


#: Set anew by every call, in the task that makes it.
_departure: ContextVar[_Departure] = ContextVar("departure")


class _OneWayConnector(TCPConnector):
    """Gives each call one connection.

    aiohttp asks for a second one when a reused connection breaks and the method is idempotent (`_retry_connection` in
    `ClientSession._request`; never for POST). One call is one request here, counted and paced as one, so it is refused.
    """

    async def connect(self, *args: Any, **kwargs: Any) -> Connection:
        departure = _departure.get()
        if departure.left:
            raise ClientConnectionError("closed by the other side before it answered")
        connection = await super().connect(*args, **kwargs)
        departure.left = True
        return connection


class Route:
    """Where calls go: base address, `Host` header, and the forward proxy on the way, if any."""

    __slots__ = ("base", "host", "place", "proxy")

    def __init__(self, base: str, proxy: str | None, http: Http) -> None:
        parts = urlsplit(base)
        self.base = base
        self.host = parts.netloc
        self.proxy = URL(proxy) if proxy else None
        self.place = Place(
            address=parts.netloc if parts.port else f"{parts.netloc}:{443 if parts.scheme == 'https' else 80}",
            host=parts.hostname or "",
            via=f"{self.proxy.host}:{self.proxy.port}" if self.proxy else None,
            connect_timeout_s=http.connect_timeout_s,
            timeout_s=http.timeout_s,
        )


class Transport:
    """One session for all scopes; made by `open_transport`."""

    def __init__(self, session: ClientSession, http: Http, environ: Mapping[str, str], clock: Clock) -> None:
        self._session = session
        self._http = http
        self._environ = environ
        self._clock = clock

    def route(self, base: str) -> Route:
        """The way to a base address, `scheme://host[:port]`."""
        return Route(base, proxy_for(base, self._environ), self._http)

    def direct(self, base: str, timeout_s: float) -> Route:
        """A way that no proxy may see and that is given up sooner: to the metadata service of this machine."""
        return Route(base, None, Http(connect_timeout_s=timeout_s, timeout_s=timeout_s))

    async def send(
        self, route: Route, method: str, target: str, headers: Headers, body: bytes | None = None
    ) -> Answer | NotSent | Doubtful:
        """One request, one answer.

        Args:
            route: where to.
            method: in capitals.
            target: path and query, percent-encoded, sent as it is.
            headers: all of them, so that none is added on the way.
            body: the bytes, if any.
        """
        departure = _Departure()
        _departure.set(departure)
        began_s = self._clock.monotonic()
        status = None
        try:
            async with self._session.request(
                method,
                URL(route.base + target, encoded=True),
                headers=headers,
                data=body,
                proxy=route.proxy,
                allow_redirects=False,
                **self._timeout(route),
            ) as response:
                status = response.status
                content = await _read(response)
                return Answer(status, response.headers, content, self._clock.now(), self._since_ms(began_s))
        except (ClientError, TimeoutError, OSError, ValueError) as error:
            # ValueError: a header or host name that cannot be written, found before anything is sent.
            exchange = Exchange(http_status=status, duration_ms=self._since_ms(began_s))
            reason = words_for(error, route.place, left=departure.left)
            return Doubtful(reason, exchange) if departure.left else NotSent(reason, exchange)

    def _timeout(self, route: Route) -> dict[str, Any]:
        """Nothing for the usual time-outs, which the session has: an object per call would cost more than it says."""
        if route.place.timeout_s == self._http.timeout_s:
            return {}
        return {"timeout": ClientTimeout(total=route.place.timeout_s, connect=route.place.connect_timeout_s)}

    def _since_ms(self, began_s: float) -> int:
        return round((self._clock.monotonic() - began_s) * 1000)


async def _read(response: ClientResponse) -> bytes:
    chunks, size = [], 0
    while chunk := await response.content.readany():
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_ANSWER_BYTES:
            response.close()
            raise AnswerTooLarge
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


class AnswerTooLarge(ClientError):
    """More than 1 MiB: whatever it is, it is not an answer of this API."""


@asynccontextmanager
async def open_transport(
    http: Http,
    *,
    connections: int,
    environ: Mapping[str, str],
    clock: Clock,
    reuse_within_s: float = REUSE_WITHIN_S,
) -> AsyncIterator[Transport]:
    """The one session, closed with the block.

    Args:
        http: time-outs and trust.
        connections: most at once to one host; a call beyond it waits for one, within the connect time-out.
        environ: for the forward proxies.
        clock: for durations and the cloud's offset.
        reuse_within_s: how long after its last answer a connection is used again.

    Raises:
        PlanError: `http.ca_file` cannot be read or is no certificate.
    """
    connector = _OneWayConnector(
        limit=0,  # no common limit: a host that hangs must not take the connections of the others
        limit_per_host=connections,
        keepalive_timeout=reuse_within_s,
        ssl=_trust(http.ca_file),
    )
    async with ClientSession(
        connector=connector,
        cookie_jar=DummyCookieJar(),
        timeout=ClientTimeout(total=http.timeout_s, connect=http.connect_timeout_s),
        max_field_size=_MAX_HEADER_BYTES,
    ) as session:
        yield Transport(session, http, environ, clock)


def _trust(ca_file: str | None) -> ssl.SSLContext | bool:
    """The system's authorities, and those of `ca_file`."""
    if ca_file is None:
        return True
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(ca_file)
    except (OSError, ssl.SSLError) as error:
        why = error.strerror or "no certificate in it"
        raise PlanError(f"http.ca_file: {ca_file}: {why}") from error
    return context
