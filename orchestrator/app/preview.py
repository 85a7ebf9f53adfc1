"""The verb `plan`: what a run would do, from the plan alone or with the versions that the cloud tells."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import anyio

from orchestrator.app.loop import backend_options
from orchestrator.app.scopes import open_scopes
from orchestrator.app.versions import read_versions
from orchestrator.clock import SystemClock
from orchestrator.model.plan import Plan
from orchestrator.model.record import Record
from orchestrator.planner.preview import Preview, Reading, make_preview
from orchestrator.planner.targets import Resolved


@dataclass(frozen=True, slots=True)
class OnlinePreview:
    """A preview with versions, and the scopes that could not be used: name and reason."""

    preview: Preview
    unusable: Mapping[str, str]


def preview_online(
    plan: Plan, resolved: Resolved, environ: Mapping[str, str], on_read: Callable[[int], None]
) -> OnlinePreview:
    """Read every version and make the preview.

    Raises:
        PlanError: the plan cannot be carried out as it is.
    """
    readings, unusable = anyio.run(
        _read, plan, resolved, environ, on_read, backend="asyncio", backend_options=backend_options()
    )
    return OnlinePreview(make_preview(plan, resolved, readings), unusable)


async def _read(
    plan: Plan, resolved: Resolved, environ: Mapping[str, str], on_read: Callable[[int], None]
) -> tuple[dict[str, Reading], dict[str, str]]:
    async with open_scopes(plan, environ=environ, clock=SystemClock(), note=_forget) as scopes:
        return await read_versions(resolved.targets, scopes, readers=plan.limits.concurrency, on_read=on_read)


def _forget(_record: Record) -> None:
    """A preview keeps no journal."""
