"""Free addresses of subnets: no more starts than they bear, nothing refused for want of them, and no time lost."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from fakes.acts import ACCEPT, Fate, refusing
from fakes.clouds import FakeCloud
from fakes.rollouts import ALL, FREE, LENIENT
from fakes.stage import Played, Stage, plan_of, resume, targets_of
from msgspec.structs import replace

from orchestrator.model.amount import Amount
from orchestrator.model.capacity import SubnetRead
from orchestrator.model.plan import Capacity, Follow, Retry
from orchestrator.model.record import Intent
from orchestrator.model.reply import Answered, Doubtful, Exchange, Refused, Reply
from orchestrator.model.target import Facts, Target

NONE = Capacity(subnet_reserve=0)
NO_ADDRESSES = "The subnet does not have enough free IP addresses. Needed: {}. Left: {}."


@dataclass
class Vpc(FakeCloud):
    """A cloud whose upgrades take an address for each node from their subnet until they end.

    Attributes:
        sizes: addresses of each subnet that are free when nothing runs.
        node_nums: nodes of each proxy; 2 of the others.
        late_s: how long after its start an upgrade takes its addresses.
        fails: what the nth reading of a subnet comes to.
    """

    sizes: dict[str, int] = field(default_factory=dict)
    node_nums: dict[str, int] = field(default_factory=dict)
    late_s: float = 0.0
    fails: dict[int, Reply[int]] = field(default_factory=dict)
    read: list[tuple[Any, str]] = field(default_factory=list)
    refused: int = 0

    async def subnet_addresses(self, subnet_id: str) -> Reply[int]:
        await self.clock.sleep(self.latency_s)
        self.read.append((self.clock.now(), subnet_id))
        failure = self.fails.get(len(self.read))
        return failure or Answered(max(0, self.free(subnet_id, late_s=self.late_s)), Exchange(http_status=200))

    def free(self, subnet_id: str, *, late_s: float = 0.0) -> int:
        """What is left now."""
        now, late = self.clock.now(), timedelta(seconds=late_s)
        running = [job for job in self.jobs_made if job.created_at + late <= now < job.ends_at and job.proxy_id]
        there = [job.proxy_id for job in running if subnet_of(self.proxies[job.proxy_id or ""]) == subnet_id]
        return self.sizes[subnet_id] - sum(self.node_nums.get(proxy_id or "", 2) for proxy_id in there)

    async def upgrade(self, instance_id: str, proxy_id: str, source_version: str, target_version: str) -> Any:
        needed, left = self.node_nums.get(proxy_id, 2), self.free(subnet_of(self.proxies[proxy_id]))
        self.refused += needed > left
        refusal = refusing("DBS.05000020", NO_ADDRESSES.format(needed, left)) if needed > left else ACCEPT
        self.acts[proxy_id] = [refusal] * (self.upgrades[proxy_id] + 1)
        return await super().upgrade(instance_id, proxy_id, source_version, target_version)

    def nodes_of(self, proxy_id: str) -> tuple[str, ...]:
        return ("ACTIVE",) * self.node_nums.get(proxy_id, 2)


def subnet_of(target: Target) -> str:
    assert target.facts is not None
    return target.facts.subnet or ""


def spread(number: int, subnets: Sequence[str]) -> list[Target]:
    """So many targets, one after the other in each subnet."""
    return [
        replace(target, facts=Facts(subnet=subnets[at % len(subnets)])) for at, target in enumerate(targets_of(number))
    ]


def stage(number: int, sizes: dict[str, int], **changes: Any) -> Stage:
    """A fleet whose upgrades take five minutes; `cloud`: fields of its cloud."""
    cloud: dict[str, Any] = {"sizes": sizes, "default_fate": Fate(duration_s=300.0), **changes.pop("cloud", {})}
    values: dict[str, Any] = {"limits": FREE, "failures": LENIENT, "waves": ALL, "capacity": NONE, **changes}
    plan = plan_of(spread(number, list(sizes)), **values)
    made = Stage(plan=plan)
    made.clouds = {"default": Vpc(None, plan.proxies, **cloud)}  # type: ignore[arg-type]  # the stage gives it its clock
    return made


def vpc(played: Played) -> Vpc:
    assert isinstance(played.cloud, Vpc)
    return played.cloud


def test_no_more_start_in_a_subnet_than_it_has_addresses_for() -> None:
    played = stage(12, {"a": 6, "b": 4}).play()

    assert played.outcomes() == {"succeeded": 12}
    assert vpc(played).refused == 0
    assert len([each for each in played.of(Intent) if each.at < played.started_at + timedelta(minutes=4)]) == 5


def test_without_looking_many_are_refused() -> None:
    played = stage(12, {"a": 6, "b": 4}, capacity=None).play()

    assert vpc(played).refused > 12 / 5
    assert not vpc(played).read


def test_the_reserve_is_left_alone() -> None:
    played = stage(4, {"a": 6}, capacity=Capacity(subnet_reserve=2)).play()

    assert vpc(played).refused == 0
    assert [round((each.at - played.started_at).total_seconds() / 60) for each in played.of(Intent)][2] >= 5


def test_a_subnet_is_read_once_a_minute_at_most_while_targets_wait_for_it() -> None:
    played = stage(8, {"a": 4}).play()
    read = [at for at, _ in vpc(played).read]

    assert all((later - at).total_seconds() >= 59.9 for at, later in pairwise(read))
    assert len(read) <= played.seconds / 60 + 1


def test_every_node_needs_an_address_and_where_that_is_not_known_it_is_read() -> None:
    targets = [target.proxy_id for target in spread(6, ["a"])]
    played = stage(6, {"a": 8}, cloud={"node_nums": dict.fromkeys(targets, 4)}).play()

    assert vpc(played).refused == 0
    assert played.state(0).nodes == 4


def test_what_a_refusal_named_is_needed_by_all_that_follow() -> None:
    targets = [target.proxy_id for target in spread(6, ["a"])]
    hidden = {"node_nums": dict.fromkeys(targets, 5), "unlisted": set(targets)}
    two = replace(FREE, in_flight=Amount(2))
    played = stage(6, {"a": 9}, cloud=hidden, limits=two, follow=Follow(to="completed")).play()

    assert played.run.needs == {"a": 5}
    assert vpc(played).refused == 1


def test_a_target_that_fits_in_no_more_is_deferred_and_says_why() -> None:
    small = stage(2, {"a": 1}, retry=Retry(busy_for_s=1800.0))
    small.wait_s = 7200.0
    played = small.play()

    assert played.outcomes() == {"deferred": 2}
    assert played.state(0).reason == "insufficient subnet addresses"
    assert "subnet a has 1 free address, 2 are needed" in played.state(0).evidence[0]
    assert 1800 <= played.seconds < 2000
    assert not played.of(Intent)


def test_a_session_that_may_not_wait_so_long_ends_and_the_next_one_goes_on() -> None:
    small = stage(2, {"a": 1})
    small.wait_s = 120.0
    played = small.play()
    assert played.code == 5
    assert "subnet a has 1 free address, 2 are needed" in played.finish.why

    vpc(played).sizes["a"] = 4
    assert resume(small, played).play().outcomes() == {"succeeded": 2}


@pytest.mark.parametrize("failure", [Refused("no permission", Exchange(http_status=403)), Refused("unset", Exchange())])
def test_without_permission_the_run_goes_on_as_before_and_asks_once(failure: Refused) -> None:
    played = stage(6, {"a": 100, "b": 100}, cloud={"fails": dict.fromkeys(range(1, 99), failure)}).play()

    assert played.outcomes() == {"succeeded": 6}
    assert len(vpc(played).read) <= 2
    assert all(record.denied for record in played.of(SubnetRead))


def test_a_reading_that_fails_keeps_what_was_read_before() -> None:
    fails = {number: Doubtful("HTTP 503", Exchange(http_status=503)) for number in range(2, 5)}
    played = stage(8, {"a": 4}, cloud={"fails": fails}).play()

    assert played.outcomes() == {"succeeded": 8}
    assert vpc(played).refused == 0


def test_addresses_that_are_taken_late_are_not_given_twice() -> None:
    played = stage(8, {"a": 4}, cloud={"late_s": 100.0}).play()

    assert vpc(played).refused == 0


@pytest.mark.parametrize("seed", range(2))
def test_tight_subnets_refuse_nothing_and_lose_no_time(seed: int) -> None:
    """Against the packing bound: a subnet can do no better than all its addresses in use all the time."""
    random = Random(seed)
    sizes = {name: random.choice((8, 12)) for name in "abc"}
    counts = {target.proxy_id: random.choice((2, 2, 4)) for target in spread(36, list(sizes))}
    cloud = {"node_nums": counts, "default_fate": Fate(duration_s=600.0)}
    played = stage(36, sizes, cloud=cloud).play()
    without = stage(36, sizes, cloud={**cloud, "node_nums": dict(counts)}, capacity=None).play()
    bound = max(
        600.0
        * -(-sum(counts[each.proxy_id] for each in played.run.targets.values() if subnet_of(each) == name) // size)
        for name, size in sizes.items()
    )

    assert vpc(played).refused == 0
    assert vpc(without).refused > 36 / 5
    assert played.seconds <= 1.05 * bound


def test_addresses_that_a_stuck_upgrade_holds_are_for_a_person() -> None:
    first = spread(2, ["a"])[0].proxy_id
    played = stage(2, {"a": 3}, cloud={"fates": {first: Fate(duration_s=1e6)}}).play()

    assert played.code == 6
    assert played.seconds < 4 * 3600
