"""What scopes need beside their callers: the pace, and the probe that brings back a paused scope."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import anyio

from orchestrator.executor.scope.probe import keep
from orchestrator.executor.scope.scope_calls import ScopeCalls


@asynccontextmanager
async def served(scopes: Mapping[str, ScopeCalls]) -> AsyncIterator[None]:
    """Keep the scopes usable for as long as the block lasts."""
    async with anyio.create_task_group() as services:
        for lanes in {id(scope.lanes): scope.lanes for scope in scopes.values()}.values():
            services.start_soon(lanes.serve)
        for scope in scopes.values():
            services.start_soon(keep, scope)
        yield
        services.cancel_scope.cancel()
