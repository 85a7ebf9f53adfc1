"""What the report says of free addresses: what each subnet had left, and what was refused for want of them. Pure."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from orchestrator.model.learned.refusal import refusals
from orchestrator.model.plan.plan import Capacity
from orchestrator.model.record.capacity import SubnetStatus, subnet_of
from orchestrator.model.reply.remedy import wants_addresses
from orchestrator.model.run.run import Run
from orchestrator.model.run.state import TargetState
from orchestrator.spoken import counted


class SubnetReport(Struct, frozen=True, kw_only=True):
    """One subnet that was read, or in which an upgrade was refused for want of addresses."""

    scope: str
    subnet_id: str
    proxies: Annotated[int, Meta(description="Targets that are in it")]
    free: Annotated[int | None, Meta(description="Addresses that it had left when it was read last; null: never")]
    read_at: Annotated[datetime | None, Meta(description="When that was")]
    in_flight: Annotated[int, Meta(description="Targets in it whose upgrade is under way, or may be")]
    refused: Annotated[int, Meta(description="How many times the cloud refused one there for too few addresses")]
    learned: Annotated[int | None, Meta(description="So many an upgrade needs there, as refusals said; null: none did")]


class CapacityReport(Struct, frozen=True, kw_only=True):
    """Free addresses of subnets, as far as they bounded the run."""

    reserve: Annotated[int, Meta(description="Addresses that are left alone in each subnet")]
    subnets: Annotated[list[SubnetReport], Meta(description="In the order of their first target in the plan")]
    denied: Annotated[dict[str, str], Meta(description="By scope, why its subnets may not be read")]


def capacity_form(run: Run, capacity: Capacity | None) -> CapacityReport | UnsetType:
    """What is known of subnets; absent when nothing is, or nobody looks at it."""
    refused = _refused(run)
    known = run.subnets.keys() | refused.keys()
    if capacity is None or not (known or run.capacity_denied):
        return UNSET
    places = _places(run)
    return CapacityReport(
        reserve=capacity.subnet_reserve,
        subnets=[_subnet(run, place, number, refused) for place, number in places.items() if place[1] in known],
        denied=dict(sorted(run.capacity_denied.items())),
    )


def _places(run: Run) -> Counter[tuple[str, str]]:
    """How many targets are in which subnet of which scope."""
    found = Counter[tuple[str, str]]()
    for target in run.targets.values():
        subnet = subnet_of(target)
        if subnet is not None:
            found[target.scope, subnet] += 1
    return found


def _refused(run: Run) -> Counter[str]:
    """How many times an upgrade was refused for too few addresses, by subnet."""
    found = Counter[str]()
    for state in run.states.glances(run.states.refused()):
        subnet = subnet_of(state.target)
        times = sum(1 for _ in _for_addresses(state))
        if subnet is not None and times:
            found[subnet] += times
    return found


def _for_addresses(state: TargetState) -> Iterator[str]:
    for answer in filter(None, (attempt.answer for attempt in state.attempts)):
        yield from (each.text for each in refusals(answer) if wants_addresses(each.text, each.error_code))


def _subnet(run: Run, place: tuple[str, str], proxies: int, refused: Counter[str]) -> SubnetReport:
    scope, subnet = place
    status = run.subnets.get(subnet) or SubnetStatus()
    return SubnetReport(
        scope=scope,
        subnet_id=subnet,
        proxies=proxies,
        free=status.free,
        read_at=None if status.read is None else status.read.at,
        in_flight=len(run.tally.open_subnets.get(subnet, ())),
        refused=refused[subnet],
        learned=run.needs.get(subnet),
    )


def capacity_lines(found: CapacityReport | UnsetType) -> Iterator[str]:
    """The same in words, one line for each subnet."""
    if found is not UNSET:
        for each in found.subnets:
            yield f"{each.subnet_id} of scope {each.scope}: {', '.join(_words(each))}; {found.reserve} in reserve"


def _words(each: SubnetReport) -> Iterator[str]:
    yield counted(each.proxies, "proxy", "proxies")
    if each.free is None or each.read_at is None:
        yield "free addresses were never read"
    else:
        yield f"{counted(each.free, 'free address', 'free addresses')} at {each.read_at:%Y-%m-%d %H:%M:%SZ}"
    if each.refused:
        yield f"refused {counted(each.refused, 'time')} for too few"
    if each.learned is not None:
        yield f"an upgrade needs {each.learned}, as the cloud said"
