"""Scopes outside a session: for a discovery or a preview."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import anyio

from orchestrator.executor.background import scope_services
from orchestrator.executor.scope.scope_calls import ScopeCalls


@asynccontextmanager
async def served(scopes: Mapping[str, ScopeCalls]) -> AsyncIterator[None]:
    """Keep the scopes usable for as long as the block lasts."""
    async with anyio.create_task_group() as services:
        for service in scope_services(scopes.values()):
            services.start_soon(service.run)
        yield
        services.cancel_scope.cancel()
