"""Send one HTTP request and bring back the answer, or say whether it left. Only the modules of this folder use aiohttp.

It never sends a request twice, follows no redirect, keeps no cookie, trusts no certificate that does not verify, waits
for nothing without an end, and reads no more than 1 MiB.
"""

import math
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from aiohttp import (
    ClientError,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
)
from multidict import CIMultiDict
from yarl import URL

from orchestrator.cloud.reading.answer import Answer
from orchestrator.cloud.reading.json_body import in_utf8
from orchestrator.cloud.secrets.registry import Secrets
from orchestrator.cloud.time_source import TimeSource
from orchestrator.cloud.wire.connector import Departure, OneWayConnector, WatchedConnection, departure
from orchestrator.cloud.wire.environment_proxy import Proxy, proxy_for
from orchestrator.cloud.wire.faults import Place, words_for
from orchestrator.cloud.wire.lean import MAX_HEADER_BYTES, LeanAnswer, lean_request, pattern_of, usable
from orchestrator.cloud.wire.own_files import open_own
from orchestrator.errors import PlanError
from orchestrator.host import path_of
from orchestrator.model.plan.plan import Http
from orchestrator.model.reply.reply import Doubtful, Exchange, NotSent

MAX_ANSWER_BYTES = 1 << 20

#: A pooled connection is used again only this long after it delivered an answer: gateways close idle ones silently, and
#: a request written to such a connection is lost. Only reads use one again: any other request has a connection of its
#: own, on which no answer to another question can come (docs/adr/0009-a-connection-for-each-upgrade.md).
REUSE_WITHIN_S = 5.0

#: Whether calls go past the request and response objects of aiohttp.
_LEAN = usable()

Headers = CIMultiDict[str]


class Route:
    """Where calls go: base address, `Host` header, and the forward proxy on the way, if any."""

    __slots__ = ("base", "host", "pattern", "place", "proxy")

    def __init__(self, base: str, proxy: Proxy | None, http: Http) -> None:
        parts = urlsplit(base)
        self.base = base
        self.host = parts.netloc
        self.proxy = proxy.url if proxy else None
        self.pattern: ClientRequest | None = None
        self.place = Place(
            address=parts.netloc if parts.port else f"{parts.netloc}:{443 if parts.scheme == 'https' else 80}",
            host=parts.hostname or "",
            via=f"{self.proxy.host}:{self.proxy.port}" if self.proxy else None,
            connect_timeout_s=http.connect_timeout_s,
            timeout_s=http.timeout_s,
        )


class Transport:
    """The sessions for all scopes, one for reads and one for the rest; made by `open_transport`."""

    def __init__(
        self,
        reads: ClientSession,
        others: ClientSession,
        http: Http,
        environ: Mapping[str, str],
        clock: TimeSource,
        secrets: Secrets,
    ) -> None:
        self._reads = reads
        self._others = others
        self._http = http
        self._environ = environ
        self._clock = clock
        self._secrets = secrets

    def route(self, base: str, timeout_s: float | None = None) -> Route:
        """The way to a base address, `scheme://host[:port]`.

        Args:
            base: the address.
            timeout_s: for a connection and for a whole call; None for those of the plan.

        Raises:
            ScopeUnusable: the environment names a proxy on the way that is none.
        """
        proxy = proxy_for(base, self._environ)
        if proxy is not None:
            self._secrets.learn(proxy, *proxy.secrets)
        http = self._http if timeout_s is None else Http(connect_timeout_s=timeout_s, timeout_s=timeout_s)
        return Route(base, proxy, http)

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
        ours = Departure()
        departure.set(ours)
        began_s = self._clock.monotonic()
        status = None
        try:
            async with self._request(route, method, target, headers, body) as response:
                status = response.status
                content = in_utf8(await _read(response, ours.line), response.charset)
                return Answer(status, response.headers, content, self._clock.now(), self._since_ms(began_s))
        except (ClientError, TimeoutError, OSError, ValueError) as error:
            # ValueError: a header or host name that cannot be written, found before anything is sent.
            exchange = Exchange(http_status=status, duration_ms=self._since_ms(began_s))
            reason = words_for(error, route.place, left=ours.left)
            return Doubtful(reason, exchange) if ours.left else NotSent(reason, exchange)

    def _request(
        self, route: Route, method: str, target: str, headers: Headers, body: bytes | None
    ) -> AbstractAsyncContextManager[ClientResponse | LeanAnswer]:
        session = self._reads if method == "GET" else self._others
        timeout = self._timeout(route)
        if _LEAN and route.proxy is None and not timeout:
            pattern = route.pattern = route.pattern or pattern_of(session, route.base)
            return lean_request(session, pattern, (method, target), headers, body)
        url = URL(route.base + target, encoded=True)
        return session.request(
            method, url, headers=headers, data=body, proxy=route.proxy, allow_redirects=False, **timeout
        )

    def _timeout(self, route: Route) -> dict[str, Any]:
        """Nothing for the usual time-outs, which the session has: an object per call would cost more than it says."""
        if route.place.timeout_s == self._http.timeout_s:
            return {}
        place = route.place  # to the instant: aiohttp makes whole seconds of more than five
        return {"timeout": ClientTimeout(place.timeout_s, place.connect_timeout_s, ceil_threshold=math.inf)}

    def _since_ms(self, began_s: float) -> int:
        return round((self._clock.monotonic() - began_s) * 1000)


async def _read(response: ClientResponse | LeanAnswer, line: WatchedConnection | None) -> bytes:
    if line is not None:
        line.take(response)
    chunks, size = [], 0
    while chunk := await response.content.readany():
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_ANSWER_BYTES:
            response.close()
            raise AnswerTooLarge
    if line is not None:
        line.end()
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


class AnswerTooLarge(ClientError):
    """More than 1 MiB: whatever it is, it is not an answer of this API."""


@asynccontextmanager
async def open_transport(
    http: Http,
    *,
    connections: int,
    environ: Mapping[str, str],
    clock: TimeSource,
    reuse_within_s: float = REUSE_WITHIN_S,
    secrets: Secrets | None = None,
) -> AsyncIterator[Transport]:
    """The way out, closed with the block.

    Args:
        http: time-outs and trust.
        connections: most at once to one host, for reads and for the rest; a call beyond it waits for one, within the
            connect time-out.
        environ: for the forward proxies.
        clock: for durations and the cloud's offset.
        reuse_within_s: how long after its last answer a connection is used again by a read.
        secrets: learns the passwords of proxies.

    Raises:
        PlanError: `http.ca_file` cannot be read or is no certificate.
    """
    trust = _trust(http.ca_file)
    # No common limit: a host that hangs must not take the connections of the others.
    pooled = OneWayConnector(limit=0, limit_per_host=connections, ssl=trust, keepalive_timeout=reuse_within_s)
    single = OneWayConnector(limit=0, limit_per_host=connections, ssl=trust, force_close=True)
    async with _session(pooled, http) as reads, _session(single, http) as others:
        yield Transport(reads, others, http, environ, clock, Secrets() if secrets is None else secrets)


def _session(connector: OneWayConnector, http: Http) -> ClientSession:
    return ClientSession(
        connector=connector,
        cookie_jar=DummyCookieJar(),
        timeout=ClientTimeout(total=http.timeout_s, connect=http.connect_timeout_s),
        max_field_size=MAX_HEADER_BYTES,
    )


def _trust(ca_file: str | None) -> ssl.SSLContext | bool:
    """The system's authorities, and those of `ca_file`."""
    if ca_file is None:
        return True
    context = ssl.create_default_context()
    try:
        open_own(path_of(ca_file)).close()
        context.load_verify_locations(path_of(ca_file))
    except (OSError, ssl.SSLError) as error:
        why = error.strerror or "no certificate in it"
        raise PlanError(f"http.ca_file: {ca_file}: {why}") from error
    return context
