"""Free addresses of subnets: no more starts than they bear, nothing refused for want of them, and no time lost."""

from datetime import timedelta
from functools import partial
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from fakes.acts import Fate
from fakes.rollouts import ALL, FREE, LENIENT
from fakes.stage import Played, Stage, plan_of, resume, targets_of
from fakes.vpc import Vpc, spread
from msgspec.structs import replace

from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Capacity, Follow, Retry
from orchestrator.model.record.capacity import SubnetRead, subnet_of
from orchestrator.model.record.record import Intent
from orchestrator.model.reply.reply import Doubtful, Exchange, Refused, Unauthenticated

NONE = Capacity(subnet_reserve=0)


def stage(number: int, sizes: dict[str, int], **changes: Any) -> Stage:
    """A fleet whose upgrades take five minutes; `cloud`: fields of its cloud."""
    cloud: dict[str, Any] = {"sizes": sizes, "default_fate": Fate(duration_s=300.0), **changes.pop("cloud", {})}
    values: dict[str, Any] = {"limits": FREE, "failures": LENIENT, "waves": ALL, "capacity": NONE, **changes}
    plan = plan_of(spread(targets_of(number), list(sizes)), **values)
    return Stage(plan=plan, new_cloud=partial(Vpc, **cloud))


def vpc(played: Played) -> Vpc:
    assert isinstance(played.cloud, Vpc)
    return played.cloud


def test_no_more_start_in_a_subnet_than_it_has_addresses_for() -> None:
    played = stage(12, {"a": 6, "b": 4}).play()

    assert played.outcomes() == {"succeeded": 12}
    assert not vpc(played).short
    assert len([each for each in played.of(Intent) if each.at < played.started_at + timedelta(minutes=4)]) == 5


def test_without_looking_many_are_refused() -> None:
    played = stage(12, {"a": 6, "b": 4}, capacity=None).play()

    assert len(vpc(played).short) > 12 / 5
    assert not vpc(played).read


def test_the_reserve_is_left_alone() -> None:
    played = stage(4, {"a": 6}, capacity=Capacity(subnet_reserve=2)).play()

    assert not vpc(played).short
    assert [round((each.at - played.started_at).total_seconds() / 60) for each in played.of(Intent)][2] >= 5


def test_a_subnet_is_read_once_a_minute_at_most_while_targets_wait_for_it() -> None:
    played = stage(8, {"a": 4}).play()
    read = [at for at, _ in vpc(played).read]

    assert all((later - at).total_seconds() >= 59.9 for at, later in pairwise(read))
    assert len(read) <= played.seconds / 60 + 1


def test_every_node_needs_an_address_and_where_that_is_not_known_it_is_read() -> None:
    targets = [target.proxy_id for target in targets_of(6)]
    played = stage(6, {"a": 8}, cloud={"node_nums": dict.fromkeys(targets, 4)}).play()

    assert not vpc(played).short
    assert played.state(0).nodes == 4


def test_what_a_refusal_named_is_needed_by_all_that_follow() -> None:
    targets = [target.proxy_id for target in targets_of(6)]
    hidden = {"node_nums": dict.fromkeys(targets, 5), "unlisted": set(targets)}
    two = replace(FREE, in_flight=Amount(2))
    played = stage(6, {"a": 9}, cloud=hidden, limits=two, follow=Follow(to="completed")).play()

    assert played.run.needs == {"a": 5}
    assert len(vpc(played).short) == 1


def test_a_target_that_fits_in_no_more_is_deferred_and_says_why() -> None:
    small = stage(2, {"a": 1}, retry=Retry(busy_for_s=1800.0))
    small.wait_s = 7200.0
    played = small.play()

    assert played.outcomes() == {"deferred": 2}
    assert played.state(0).reason == "insufficient subnet addresses"
    assert "subnet a has 1 free address, at least 2 are needed" in played.state(0).evidence[0]
    assert 1800 <= played.seconds < 2000
    assert not played.of(Intent)


def test_a_session_that_may_not_wait_so_long_ends_and_the_next_one_goes_on() -> None:
    small = stage(2, {"a": 1})
    small.wait_s = 120.0
    played = small.play()
    assert played.code == 5
    assert "subnet a has 1 free address, at least 2 are needed" in played.finish.why

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
    assert not vpc(played).short


def test_addresses_that_are_taken_late_are_not_given_twice() -> None:
    played = stage(8, {"a": 4}, cloud={"late_s": 100.0}).play()

    assert not vpc(played).short


@pytest.mark.parametrize("lasts_s", [350.0, 365.0, 380.0, 395.0])
def test_what_had_ended_when_its_subnet_was_read_gives_its_addresses_back_once(lasts_s: float) -> None:
    """Its end is seen up to a minute later; until then it counts as under way, and its addresses are free already."""
    short, long, big = (target.proxy_id for target in targets_of(3))
    fates = {short: Fate(duration_s=lasts_s), long: Fate(duration_s=1500.0)}
    cloud = {"node_nums": {big: 4}, "fates": fates}
    played = stage(3, {"a": 4}, cloud=cloud, follow=Follow(expected_s=1500.0, poll_s=120.0)).play()

    assert played.outcomes() == {"succeeded": 3}
    assert not vpc(played).short


def test_what_is_too_large_is_deferred_though_others_there_have_just_ended() -> None:
    """Nobody is stuck: the next reading shows that nothing of ours is under way there."""
    _, big = (target.proxy_id for target in targets_of(2))
    tight = stage(2, {"a": 3}, cloud={"node_nums": {big: 4}}, retry=Retry(busy_for_s=600.0))
    tight.wait_s = 7200.0

    assert tight.play().outcomes() == {"succeeded": 1, "deferred": 1}


def test_what_turns_out_too_large_just_before_its_upgrade_is_deferred_at_once_where_nothing_was_under_way() -> None:
    big = targets_of(1)[0].proxy_id
    played = stage(1, {"a": 3}, cloud={"node_nums": {big: 4}}, retry=Retry(busy_for_s=0.0)).play()

    assert played.outcomes() == {"deferred": 1}
    assert not played.of(Intent)
    assert not vpc(played).short


def test_a_token_that_has_ended_denies_nothing() -> None:
    ended = Unauthenticated("token expired", Exchange(http_status=401))
    played = stage(12, {"a": 6, "b": 4}, cloud={"fails": {3: ended, 4: ended}}).play()

    assert not vpc(played).short
    assert not played.run.capacity_denied


@pytest.mark.parametrize("seed", range(2))
def test_tight_subnets_refuse_nothing_and_lose_no_time(seed: int) -> None:
    """Against the packing bound: a subnet can do no better than all its addresses in use all the time.

    Upgrades last no whole minutes: of one that ends as its subnet is read, nobody can say whether it was counted.
    """
    lasts_s = 620.0
    random = Random(seed)
    sizes = {name: random.choice((8, 12)) for name in "abc"}
    counts = {target.proxy_id: random.choice((2, 2, 4)) for target in targets_of(36)}
    cloud = {"node_nums": counts, "default_fate": Fate(duration_s=lasts_s)}
    played = stage(36, sizes, cloud=cloud).play()
    without = stage(36, sizes, cloud={**cloud, "node_nums": dict(counts)}, capacity=None).play()
    bound = max(
        lasts_s
        * -(-sum(counts[each.proxy_id] for each in played.run.targets.values() if subnet_of(each) == name) // size)
        for name, size in sizes.items()
    )

    assert not vpc(played).short
    assert len(vpc(without).short) > 36 / 5
    assert played.seconds <= 1.05 * bound


def test_addresses_that_a_stuck_upgrade_holds_are_for_a_person() -> None:
    first = targets_of(2)[0].proxy_id
    played = stage(2, {"a": 3}, cloud={"fates": {first: Fate(duration_s=1e6)}}).play()

    assert played.code == 6
    assert played.seconds < 4 * 3600
