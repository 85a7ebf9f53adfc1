"""What the cloud shows of a project: its proxies, the version of each, and the newest that is on offer."""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial

import anyio
from msgspec import Struct

from orchestrator.app.discover.discover import OnFound, discover_now
from orchestrator.app.preview.versions import read_versions
from orchestrator.app.process.event_loop import backend_options
from orchestrator.app.scopes.open_scopes import open_scopes
from orchestrator.clock import SystemClock
from orchestrator.cloud.secrets.registry import Secrets
from orchestrator.errors import ScopeUnusable
from orchestrator.model.plan.plan import Discover, Plan, Scope
from orchestrator.model.plan.target import Target
from orchestrator.model.record.record import Record
from orchestrator.model.reply.reply import ProxyVersion
from orchestrator.model.run.eligibility import Reading

SCOPE = "default"


class FoundFleet(Struct, frozen=True):
    """What was found.

    Attributes:
        targets: in the order of the cloud's list.
        versions: by proxy_id, where they could be read.
    """

    targets: list[Target]
    versions: dict[str, ProxyVersion]

    @property
    def newest(self) -> str | None:
        """The version that is on offer to most proxies; where none is on offer, the one that most of them run."""
        offered = Counter(each.latest_version for each in self.versions.values() if each.latest_version)
        running = Counter(each.current_version for each in self.versions.values())
        return next((version for version, _ in (offered or running).most_common(1)), None)


def plan_to_ask(name: str, path: str, region: str | None, project_id: str | None, endpoint: str | None) -> Plan:
    """What is asked for: every proxy of one project. Credentials come from the environment."""
    scope = Scope(name=SCOPE, region=region, project_id=project_id, endpoint=endpoint)
    return Plan(name=name, path=path, sha256="", target_version="", scopes=(scope,), discover=(Discover(scope=SCOPE),))


def find_fleet(plan: Plan, environ: Mapping[str, str], on_found: OnFound, note: Callable[[Record], None]) -> FoundFleet:
    """Ask the cloud; it only reads. `note` takes records about the scope, such as a pause that is waited for.

    Raises:
        ScopeUnusable: it cannot be asked, or shows no proxy.
    """
    targets = discover_now(plan, environ, on_found, note=note).targets
    if not targets:
        raise ScopeUnusable(
            "the cloud shows no instance with a Database Proxy here", hint="check --region and --project-id"
        )
    readings, unusable = anyio.run(
        partial(_read, plan, targets, environ, note), backend="asyncio", backend_options=backend_options()
    )
    if unusable:
        raise ScopeUnusable(f"versions cannot be read: {', '.join(unusable.values())}")
    read = {key: reading for key, reading in readings.items() if isinstance(reading, ProxyVersion)}
    return FoundFleet(targets, read)


async def _read(
    plan: Plan, targets: list[Target], environ: Mapping[str, str], note: Callable[[Record], None]
) -> tuple[dict[str, Reading], dict[str, str]]:
    async with open_scopes(plan, environ=environ, clock=SystemClock(), secrets=Secrets(), note=note) as scopes:
        return await read_versions(targets, scopes, readers=plan.limits.concurrency, on_read=lambda _count: None)
