"""The proxies of an embedded simulated cloud: those that a plan writes out, and some for each `discover` entry. Pure.

What `discover` would find in the real cloud nobody knows offline. So every entry is given instances that pass its
filter, two proxies on each: ten instances, or those that the entry names, or as many as `expect` asks for.
"""

from collections.abc import Iterator, Sequence
from math import ceil

from orchestrator.model.plan.plan import Discover, Plan, Scope
from orchestrator.model.plan.target import Target
from orchestrator.simulator.chance import hexadecimal
from orchestrator.simulator.config import SimulatedTarget

REGION = "cn-north-4"

_INSTANCES = 10
_PROXIES = 2
#: What instances of proxies that are written out are called, so that no entry of `discover` means them by chance.
_WRITTEN_OUT = "written-out"


def simulated_targets(plan: Plan, written: Sequence[Target], seed: int) -> Iterator[SimulatedTarget]:
    """Every proxy that the simulated cloud is to hold."""
    scopes = {scope.name: scope for scope in plan.scopes}
    source = plan.source_versions[0] if plan.source_versions else None
    for target in written:
        scope = scopes[target.scope]
        yield SimulatedTarget(
            region=scope.region or REGION,
            project_id=scope.project_id,
            instance_id=target.instance_id,
            proxy_id=target.proxy_id,
            source_version=target.source_version or source,
            name=_WRITTEN_OUT if plan.discover else None,
            tags={} if plan.discover else None,
        )
    instances = _instances(plan, len(written))
    for number, entry in enumerate(plan.discover):
        yield from _discovered(entry, scopes[entry.scope], source, instances, (seed, "discover", number))


def _instances(plan: Plan, written: int) -> int:
    """Instances for each entry that names none, so that the number of targets is as expected."""
    certain = written + _PROXIES * sum(len(entry.instances.ids) for entry in plan.discover)
    each = _PROXIES * max(1, sum(not entry.instances.ids for entry in plan.discover))
    wanted = max(_INSTANCES, ceil((plan.expect.min - certain) / each))
    most = wanted if plan.expect.max is None else (plan.expect.max - certain) // each
    return max(1, min(wanted, most))


def _discovered(
    entry: Discover, scope: Scope, source: str | None, instances: int, draw: tuple[int, str, int]
) -> Iterator[SimulatedTarget]:
    wanted, (seed, *what) = entry.instances, draw
    made = (hexadecimal(32, seed, *what, ordinal) + "in07" for ordinal in range(instances))
    for ordinal, instance_id in enumerate(wanted.ids or made):
        for number in range(_PROXIES):
            yield SimulatedTarget(
                region=scope.region or REGION,
                project_id=scope.project_id,
                instance_id=instance_id,
                proxy_id=hexadecimal(32, seed, *what, ordinal, number) + "po01",
                source_version=source,
                name=wanted.name and wanted.name.replace("*", f"simulated-{ordinal:04d}"),
                tags=wanted.tags or None,
                vpc_id=wanted.vpc_id,
                enterprise_project_id=wanted.enterprise_project_id,
            )
