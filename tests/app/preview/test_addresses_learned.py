"""What a preview knows of the addresses that upgrades need: of the runs of the fleet, the later one counts."""

from functools import partial

from fakes.acts import Fate
from fakes.memory_state import MemoryState
from fakes.rollouts import ALL, FREE, LENIENT
from fakes.stage import Stage, plan_of, targets_of
from fakes.vpc import Vpc, spread
from msgspec.structs import replace

from orchestrator.app.preview.addresses_learned import NOTHING_LEARNED, AddressesLearned, Needed, addresses_learned
from orchestrator.model.plan.plan import Capacity, Plan
from orchestrator.model.plan.target import Facts, Target
from orchestrator.model.record.record import RunStarted

TARGETS = spread(targets_of(3), ["a", "a", "b"])


def ran(state: MemoryState, plan: Plan, targets: list[Target], nodes: int) -> None:
    """A run of these targets, each with so many nodes; discovery tells nothing of that."""
    plan = replace(plan, proxies=tuple(targets))
    keys = {target.proxy_id for target in targets}
    sizes = {"a": 4, "b": 40}
    made = partial(Vpc, sizes=sizes, default_fate=Fate(), node_nums=dict.fromkeys(keys, nodes))
    played = Stage(plan=plan, new_cloud=made).play()
    first = played.records[0]
    assert isinstance(first, RunStarted)
    state.fleet(plan.name).begin(plan, targets, first).kept = played.records


def test_what_was_read_of_a_proxy_and_what_a_refusal_named_is_needed_from_then_on() -> None:
    state = MemoryState()
    plan = plan_of(TARGETS, limits=FREE, failures=LENIENT, waves=ALL, capacity=Capacity(subnet_reserve=0))
    assert addresses_learned(plan, TARGETS, state) == ({}, {})
    ran(state, plan, TARGETS[1:], 5)
    learned = addresses_learned(plan, TARGETS, state)
    assert learned.needed(TARGETS[2]) == Needed(5, at_least=False)
    assert learned.needed(TARGETS[0]) == Needed(learned.needs.get("a", 2), at_least=True)


def test_a_rehearsal_counts_with_the_nodes_that_a_run_has_read() -> None:
    learned = AddressesLearned({TARGETS[0].proxy_id: 5, TARGETS[1].proxy_id: 5}, {})
    told = replace(TARGETS[1], facts=Facts(subnet="a", nodes=3))
    assert [each.facts and each.facts.nodes for each in map(learned.told, TARGETS)] == [5, 5, None]
    assert learned.told(told) is told


def test_a_plan_without_capacity_looks_at_no_run() -> None:
    plan = plan_of(TARGETS, capacity=None)
    assert addresses_learned(plan, TARGETS, MemoryState()) is NOTHING_LEARNED
