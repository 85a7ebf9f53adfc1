"""A cloud whose subnets have so many addresses and no more, which upgrades take and give back."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from fakes.acts import Act, Update, refusing
from fakes.clouds import FakeCloud, FakeJob
from judge.neighbours import Short
from msgspec.structs import replace

from orchestrator.model.plan.target import Facts, Target
from orchestrator.model.record.capacity import FEWEST_NODES, subnet_of
from orchestrator.model.reply.reply import Reply

NO_ADDRESSES = "The subnet does not have enough free IP addresses. Needed: {}. Left: {}."


@dataclass
class Vpc(FakeCloud):
    """A cloud whose upgrades take an address for each node from their subnet until they end.

    Attributes:
        sizes: addresses of each subnet that are free when nothing runs; a proxy in no such subnet takes none.
        node_nums: nodes of each proxy; 2 of the others.
        late_s: how long after its start an upgrade is seen to have taken its addresses.
        fails: what the nth reading of a subnet comes to.
        short: upgrades that were refused.
    """

    sizes: dict[str, int] = field(default_factory=dict)
    node_nums: dict[str, int] = field(default_factory=dict)
    late_s: float = 0.0
    fails: dict[int, Reply[int]] = field(default_factory=dict)
    read: list[tuple[datetime, str]] = field(default_factory=list)
    short: list[Short] = field(default_factory=list)

    async def subnet_addresses(self, subnet_id: str) -> Reply[int]:
        def value() -> Reply[int]:
            self.read.append((self.clock.now(), subnet_id))
            failure = self.fails.get(len(self.read))
            return failure or self._answered(max(0, self.free(subnet_id, late_s=self.late_s)))

        return await self._get("subnet", subnet_id, value)

    def free(self, subnet_id: str, *, late_s: float = 0.0) -> int:
        """What is left now."""
        late = timedelta(seconds=late_s)
        running = [str(job.proxy_id) for job in self.jobs_made if self._holds(job, late)]
        there = [proxy_id for proxy_id in running if subnet_of(self.proxies[proxy_id]) == subnet_id]
        return self.sizes[subnet_id] - sum(map(self._needs, there))

    def nodes_of(self, proxy_id: str) -> tuple[str, ...]:
        return (*super().nodes_of(proxy_id), *("ACTIVE",) * (self._needs(proxy_id) - FEWEST_NODES))

    async def _perform(self, act: Act, instance_id: str, proxy_id: str, number: int) -> Update:
        subnet = subnet_of(self.proxies[proxy_id])
        if act.effect and subnet in self.sizes:
            needed, left = self._needs(proxy_id), self.free(subnet)
            if needed > left:
                self.short.append(Short(self.clock.now(), proxy_id, subnet))
                act = refusing("DBS.05000020", NO_ADDRESSES.format(needed, left))
        return await super()._perform(act, instance_id, proxy_id, number)

    def _needs(self, proxy_id: str) -> int:
        return self.node_nums.get(proxy_id, FEWEST_NODES)

    def _holds(self, job: FakeJob, late: timedelta) -> bool:
        """A call that takes effect later holds its addresses already: none is given twice."""
        now = self.clock.now()
        begun = job.created_at + late <= now if late else True
        return begun and now < job.ends_at


def spread(targets: Sequence[Target], subnets: Sequence[str]) -> list[Target]:
    """One after the other in each subnet."""
    return [in_subnet(target, subnets[at % len(subnets)]) for at, target in enumerate(targets)]


def in_subnet(target: Target, subnet: str, nodes: int | None = None) -> Target:
    """The same target where discovery learned its subnet, and perhaps how many nodes it has."""
    return replace(target, facts=replace(target.facts or Facts(), subnet=subnet, nodes=nodes))


def some_subnets(random: Random, scopes: Sequence[str]) -> dict[str, int]:
    """No small subnet in two plans of three; else one or two in each scope, of which some bear few upgrades at once."""
    if random.random() >= 1 / 3:
        return {}
    number = random.choice((1, 2))
    return {f"{scope}-{at}": random.choice((3, 4, 6, 9)) for scope in scopes for at in range(number)}
