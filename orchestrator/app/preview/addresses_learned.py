"""How many addresses upgrades of a fleet need, as far as its latest runs have found out. Writes nothing."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec import structs

from orchestrator.app.preview.seen_durations import latest_first
from orchestrator.host import path_of
from orchestrator.model.plan.plan import Plan
from orchestrator.model.plan.target import Target
from orchestrator.model.record.capacity import FEWEST_NODES, subnet_of
from orchestrator.model.run.run import Run
from orchestrator.tracker.runs.recovery import recover
from orchestrator.tracker.state_store import State


class Needed(NamedTuple):
    """How many addresses an upgrade needs; `at_least`: it may be more, as nobody knows its nodes."""

    addresses: int
    at_least: bool


class AddressesLearned(NamedTuple):
    """What runs have found out.

    Attributes:
        nodes: of proxies of which discovery does not tell it, as they were read before their upgrades.
        needs: what refusals named, by subnet.
    """

    nodes: Mapping[str, int]
    needs: Mapping[str, int]

    def needed(self, target: Target) -> Needed:
        """What the upgrade of a target needs."""
        told = target.facts.nodes if target.facts else None
        nodes = told or self.nodes.get(target.proxy_id)
        return Needed(max(nodes or FEWEST_NODES, self.needs.get(subnet_of(target) or "", 0)), at_least=nodes is None)

    def told(self, target: Target) -> Target:
        """The same, with the nodes that only a run has read, as a session reads them before the upgrade."""
        nodes = self.nodes.get(target.proxy_id)
        if nodes is None or target.facts is None or target.facts.nodes is not None:
            return target
        return structs.replace(target, facts=structs.replace(target.facts, nodes=nodes))


NOTHING_LEARNED = AddressesLearned({}, {})


def addresses_learned(plan: Plan, targets: Sequence[Target], state: State) -> AddressesLearned:
    """What the latest runs of a fleet know; of two that say something, the later one counts.

    Raises:
        PlanError: the fleet's name belongs to another plan.
        StateError: a run cannot be read.
    """
    placed = [target for target in targets if subnet_of(target) is not None]
    if plan.capacity is None or not placed:
        return NOTHING_LEARNED
    fleet = state.fleet(plan.name)
    fleet.expect_owner(path_of(plan.path))
    unknown = [target.proxy_id for target in placed if target.facts is None or target.facts.nodes is None]
    nodes: dict[str, int] = {}
    needs: dict[str, int] = {}
    for stored in latest_first(fleet.runs()):
        run = recover(stored).run
        nodes = _nodes(run, unknown) | nodes
        needs = run.needs | needs
    return AddressesLearned(nodes, needs)


def _nodes(run: Run, proxy_ids: Sequence[str]) -> dict[str, int]:
    states = ((proxy_id, run.states.get(proxy_id)) for proxy_id in proxy_ids)
    return {proxy_id: state.nodes for proxy_id, state in states if state is not None and state.nodes is not None}
