"""Subnets with so many addresses: an upgrade takes one for each node from its start to its end.

Sources: ShowSubnet of VPC (huaweicloudsdkvpc v2 subnet.py); the texts of refusals are those of the official pages. That
new nodes are built beside the old ones is an assumption.
"""

from orchestrator.simulator.chance import unit
from orchestrator.simulator.profile import SubnetLimits
from orchestrator.simulator.wire import Refusal, Reply, answer
from orchestrator.simulator.world.views import Views
from orchestrator.simulator.world.world import Project, Proxy

_PLENTY = 60_000
NO_ADDRESSES = "The subnet does not have enough free IP addresses. Needed: {}. Left: {}."


class Subnets:
    """The subnets of all projects."""

    def __init__(self, limits: SubnetLimits, views: Views, seed: int) -> None:
        self._limits = limits
        self._views = views
        self._seed = seed

    def show(self, project: Project, subnet_id: str, t: float) -> Reply:
        """ShowSubnet."""
        if self._limits.denied:
            raise Refusal(403, "VPC.0010", "Policy does not allow vpc:subnets:get to be performed.")
        if subnet_id not in {self._views.subnet_id(instance) for instance in project.instances.values()}:
            raise Refusal(404, "VPC.0202", "Subnet could not be found.")
        left = self._left(project, subnet_id, t)
        row = {"id": subnet_id, "name": f"subnet-{subnet_id[:4]}", "status": "ACTIVE"}
        return answer({"subnet": {**row, "available_ip_address_count": left}})

    def refuse(self, proxy: Proxy, t: float) -> bool:
        """Whether an upgrade lacks addresses and is to be rejected.

        Raises:
            Refusal: it lacks some, and is refused by an error; one way or the other by chance.
        """
        project = proxy.instance.project
        left = self._left(project, self._views.subnet_id(proxy.instance), t)
        if proxy.node_num <= left:
            return False
        if unit(self._seed, "no_addresses", proxy.proxy_id, proxy.calls) < 0.5:  # noqa: PLR2004 - one half
            return True
        raise Refusal(400, "DBS.05000020", NO_ADDRESSES.format(proxy.node_num, left))

    def _left(self, project: Project, subnet_id: str, t: float) -> int:
        if self._limits.addresses is None:
            return _PLENTY
        proxies = [job.proxy for job in project.unended_jobs(t) if job.proxy is not None and job.running(t)]
        taken = sum(proxy.node_num for proxy in proxies if self._views.subnet_id(proxy.instance) == subnet_id)
        return max(0, self._limits.addresses - taken)
