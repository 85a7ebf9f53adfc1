"""A clock that is set by hand, and a loopback server that answers what a test wants."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from orchestrator.cloud import Client, open_clouds
from orchestrator.model.plan import Auth, Http, Scope

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve: TypeAlias = Callable[..., AbstractAsyncContextManager[str]]

PROJECT = "0123456789abcdef0123456789abcdef"


class SetClock:
    """Both kinds of time, moved by hand."""

    def __init__(self) -> None:
        self.utc = datetime.now(UTC).replace(microsecond=0)
        self.now_s = 1000.0

    def now(self) -> datetime:
        return self.utc

    def monotonic(self) -> float:
        return self.now_s

    def advance(self, seconds: float) -> None:
        self.utc += timedelta(seconds=seconds)
        self.now_s += seconds


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


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
    ) -> AsyncIterator[Client]:
        scope = Scope(
            name="default",
            region="cn-north-4",
            project_id=project_id,
            endpoint=address,
            iam_endpoint=address,
            auth=auth or Auth(token_env="TOKEN"),
        )
        clouds = open_clouds(
            [scope],
            http=http or Http(connect_timeout_s=2.0, timeout_s=2.0),
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
