"""Reading how many addresses the subnets of proxies have left, for the preview: each once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from orchestrator.app.preview.addresses_learned import NOTHING_LEARNED, AddressesLearned, Needed
from orchestrator.app.scopes.serve_scopes import served
from orchestrator.executor.ask.read_subnet import ask_subnet
from orchestrator.executor.ports import Clock
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.model.plan.plan import Capacity
from orchestrator.model.plan.target import Target
from orchestrator.model.record.capacity import SubnetRead, subnet_of
from orchestrator.planner.preview.preview_values import SubnetPreview


async def read_subnets(
    capacity: Capacity,
    targets: Sequence[Target],
    scopes: Mapping[str, ScopeCalls],
    clock: Clock,
    learned: AddressesLearned = NOTHING_LEARNED,
) -> tuple[tuple[SubnetPreview, ...], tuple[str, ...]]:
    """What each subnet of the targets has left, and a line for each scope that may not ask."""
    found: list[SubnetPreview] = []
    denied: dict[str, str] = {}
    async with served(scopes):
        for (scope, subnet), those in _by_subnet(targets).items():
            if scope in denied or not scopes[scope].open:
                continue
            read = await ask_subnet(scopes[scope], clock, subnet)
            if read.denied:
                denied[scope] = f"the free addresses of scope {scope} are not looked at: {read.why}"
            else:
                found.append(_previewed(capacity, read, [learned.needed(each) for each in those]))
    return tuple(found), tuple(denied.values())


def _by_subnet(targets: Sequence[Target]) -> dict[tuple[str, str], list[Target]]:
    by_subnet: defaultdict[tuple[str, str], list[Target]] = defaultdict(list)
    for target in targets:
        subnet = subnet_of(target)
        if subnet is not None:
            by_subnet[target.scope, subnet].append(target)
    return by_subnet


def _previewed(capacity: Capacity, read: SubnetRead, those: Sequence[Needed]) -> SubnetPreview:
    needed = max(each.addresses for each in those)
    missing = 0 if read.free is None else max(0, needed + capacity.subnet_reserve - read.free)
    return SubnetPreview(
        scope=read.scope,
        subnet_id=read.subnet_id,
        proxies=len(those),
        free=read.free,
        needed=needed,
        at_least=any(each.at_least for each in those),
        missing=missing,
        why=read.why,
    )
