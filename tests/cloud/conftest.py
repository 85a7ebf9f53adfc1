"""A clock that is set by hand, loopback servers that answer what a test wants, and clients of theirs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from multidict import CIMultiDict

from orchestrator.cloud.client import Client
from orchestrator.cloud.open_clouds import open_clouds
from orchestrator.cloud.wire import transport
from orchestrator.cloud.wire.transport import open_transport
from orchestrator.model.plan.auth import Auth
from orchestrator.model.plan.plan import Http, Scope
from orchestrator.model.reply.reply import Answered, Unauthenticated

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve: TypeAlias = Callable[..., AbstractAsyncContextManager[str]]

PROJECT = "0123456789abcdef0123456789abcdef"
INSTANCE = "11112222333344445555666677778888in07"
PROXY = "aaaabbbbccccddddeeeeffff00001111po01"


class SetClock:
    """Both kinds of time, moved by hand."""

    def __init__(self) -> None:
        self.utc = datetime.now(UTC).replace(microsecond=0)
        self.now_s = 1000.0

    def now(self) -> datetime:
        return self.utc

    def wall(self) -> datetime:
        return self.utc

    def monotonic(self) -> float:
        return self.now_s

    def advance(self, seconds: float) -> None:
        self.utc += timedelta(seconds=seconds)
        self.now_s += seconds


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["lean", "session"])
def each_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once past the request and response objects of aiohttp, once with them."""
    monkeypatch.setattr(transport, "_LEAN", request.param == "lean")


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def serve() -> Serve:
    """`async with serve(handler) as address`: every path and method goes to the handler."""

    @asynccontextmanager
    async def _serve(handler: Handler, **options: Any) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", handler)
        server = TestServer(app, host="127.0.0.1")
        await server.start_server(shutdown_timeout=0.01, **options)
        try:
            yield f"{server.scheme}://127.0.0.1:{server.port}"
        finally:
            await server.close()

    return _serve


@pytest.fixture
def connect(clock: SetClock) -> Callable[..., AbstractAsyncContextManager[Client]]:
    """`async with connect(address) as client`: a client of one scope, prepared, with a token from the environment."""

    @asynccontextmanager
    async def _connect(
        address: str,
        *,
        auth: Auth | None = None,
        environ: Mapping[str, str] | None = None,
        http: Http | None = None,
        project_id: str | None = PROJECT,
        prepared: bool = True,
        vpc: str = "",
    ) -> AsyncIterator[Client]:
        scope = Scope(
            name="default",
            region="cn-north-4",
            project_id=project_id,
            endpoint=address,
            iam_endpoint=address,
            vpc_endpoint=vpc or None,
            auth=auth or Auth(token_env="TOKEN"),
        )
        clouds = open_clouds(
            [scope],
            http=http or Http(),
            language="en-us",
            connections=10,
            environ={"TOKEN": "token-of-the-test"} if environ is None else environ,
            clock=clock,
            metadata=address,
        )
        async with clouds as clients:
            client = clients["default"]
            if prepared:
                assert await client.prepare() is None
            yield client

    return _connect


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


@pytest.fixture
def raw_server() -> type[Raw]:
    return Raw


async def _send(
    address: str,
    clock: Any,
    *,
    http: Http | None = None,
    method: str = "POST",
    environ: Any = None,
    times: int = 1,
    reuse_within_s: float = 5.0,
    pause_s: float = 0.0,
) -> Any:
    outcomes = []
    async with open_transport(
        http or Http(),
        connections=5,
        environ=environ or {},
        clock=clock,
        reuse_within_s=reuse_within_s,
    ) as transport:
        route = transport.route(address)
        for _ in range(times):
            body = b"{}" if method == "POST" else None
            outcomes.append(
                await transport.send(route, method, "/a%2Fb?c=d%20e", CIMultiDict({"Host": route.host}), body)
            )
            await asyncio.sleep(pause_s)
    return outcomes[0] if times == 1 else outcomes


@pytest.fixture
def send() -> Any:
    """One request or several, over a transport of their own."""
    return _send


class Cloud:
    """Answers proxy-version, logins and the metadata service, and keeps what it was asked."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.logins = 0
        self.login: Any = None
        self.metadata: dict[str, tuple[int, str]] = {}

    async def answer(self, request: web.Request) -> Any:
        body = await request.read()
        self.seen.append((request.method, request.path, request.headers, body))
        if request.path.endswith("/proxy-version"):
            return web.json_response({"current_version": "2.24.03.000"})
        if request.path == "/v3/auth/tokens":
            self.logins += 1
            return self.login(self.logins)
        status, text = self.metadata.get(request.path, (404, ""))
        return web.Response(status=status, text=text)

    def headers(self) -> Any:
        return next(headers for _, path, headers, _ in reversed(self.seen) if path.endswith("/proxy-version"))


@pytest.fixture
def cloud() -> Any:
    return Cloud()


@pytest.fixture
def asked(serve: Any, connect: Any, cloud: Cloud) -> Any:
    """The headers of one call made with these credentials."""

    async def _asked(auth: Any, environ: Any) -> Any:
        async with serve(cloud.answer) as address, connect(address, auth=auth, environ=environ) as client:
            assert isinstance(await client.proxy_version(INSTANCE, PROXY), Answered)
        return cloud.headers()

    return _asked


@pytest.fixture
def refused(serve: Any, connect: Any, cloud: Cloud) -> Any:
    """Why these credentials cannot be used; nothing may have been asked with them."""

    async def _refused(auth: Any, environ: Any) -> Any:
        async with (
            serve(cloud.answer) as address,
            connect(address, auth=auth, environ=environ, prepared=False) as client,
        ):
            failure = await client.prepare()
            assert client.generation == 0
        assert isinstance(failure, Unauthenticated)
        return failure.reason

    return _refused
