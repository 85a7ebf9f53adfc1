"""Discovery over real HTTP against the simulated cloud: complete, at the stated price, or an error that says what."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from msgspec import structs

from orchestrator.app.discover.discover import Discovered, DiscoveryIncomplete, discover_now
from orchestrator.errors import ExitCode, PlanError
from orchestrator.model.plan.auth import Auth
from orchestrator.model.plan.plan import Discover, InstanceFilter, Limits, Plan, Retry, Scope
from orchestrator.model.plan.target import Target
from orchestrator.planner.targets.resolve import resolve_targets
from orchestrator.simulator.config import SimulatedTarget, SimulatorConfig
from orchestrator.simulator.embedded import Address, embedded_cloud
from orchestrator.simulator.profile import Fault, Kind, Lists, Profile, ScriptedFault

NEW = "2.24.03.000"
REGIONS = ("cn-north-4", "cn-east-3", "cn-south-1")
ENVIRON_NAME = "TOKEN_OF_THE_TEST"


@dataclass
class Site:
    """A simulated cloud with one project in each region, and plans for it."""

    address: Address
    plan: Plan

    def discover(self, *entries: Discover, **changes: Any) -> Discovered:
        plan = structs.replace(self.plan, discover=entries, **changes)
        return discover_now(plan, {ENVIRON_NAME: self.address.token}, lambda _known, _found: None)

    def there(self, region: str = REGIONS[0]) -> set[tuple[str, str]]:
        """Every proxy of a region: instance and proxy id."""
        projects = self.address.cloud.world.projects.values()
        project = next(each for each in projects if each.region == region)
        return {(proxy.instance.instance_id, proxy.proxy_id) for proxy in project.proxies.values()}

    def calls(self) -> dict[str, int]:
        return dict(self.address.cloud.books.calls)


@contextmanager
def site(regions: tuple[str, ...] = REGIONS[:1], **settings: Any) -> Iterator[Site]:
    with embedded_cloud(SimulatorConfig(regions=regions, **settings)) as address:
        ids = address.cloud.config.project_ids()
        scopes = tuple(
            Scope(
                name=region,
                region=region,
                project_id=ids[region],
                endpoint=address.url,
                iam_endpoint=address.url,
                auth=Auth(token_env=ENVIRON_NAME),
            )
            for region in regions
        )
        plan = Plan(
            name="fleet",
            path="/plans/fleet.yaml",
            sha256="0" * 64,
            target_version=NEW,
            scopes=scopes,
            limits=Limits(rate=5000.0),
            retry=Retry(attempts=3, backoff_s=0.005, max_backoff_s=0.01),
        )
        yield Site(address, plan)


def everything(region: str = REGIONS[0], **filters: Any) -> Discover:
    return Discover(scope=region, instances=InstanceFilter(**filters))


def ids_of(found: Discovered) -> set[tuple[str, str]]:
    assert len({target.proxy_id for target in found.targets}) == len(found.targets)
    return {(target.instance_id, target.proxy_id) for target in found.targets}


def failing(call: Kind, fault: Fault = "error_before", *, nth: int = 1, times: int = 1) -> Profile:
    return Profile(faults=(ScriptedFault(call=call, fault=fault, nth=nth, times=times),))


def test_5000_instances_cost_a_call_for_every_hundred_and_one_for_every_twenty_with_a_proxy() -> None:
    with site(instances=5000, proxies=1, faults=Profile(lists=Lists(without_proxy=0.2))) as cloud:
        with_proxy = len(cloud.there())
        found = cloud.discover(everything())
        assert ids_of(found) == cloud.there()
        assert 3900 < with_proxy < 4100
        assert cloud.calls() == {
            "immediate_jobs": 1,  # the one call that a scope is tried with
            "instances": 50,
            "details": -(-with_proxy // 20),
        }
        assert found.calls == 51 + -(-with_proxy // 20)


def test_scopes_side_by_side_and_facts_of_each_target() -> None:
    with site(REGIONS, instances=30, proxies=2) as cloud:
        found = cloud.discover(*map(everything, REGIONS))
        assert ids_of(found) == {pair for region in REGIONS for pair in cloud.there(region)}
        assert [used.scope for used in found.used] == list(REGIONS)
        assert [target.scope for target in found.targets] == [region for region in REGIONS for _ in range(60)]
        facts = found.targets[0].facts
        assert facts is not None
        assert facts.name is not None
        assert facts.tags == {"app": facts.name.split("-")[0], "env": facts.name.split("-")[1]}
        assert facts.instance_status == "normal"
        assert facts.proxy_name == "proxy-0000-0"
        assert facts.maintenance_window is not None


def test_scopes_that_no_entry_names_are_left_alone() -> None:
    with site(REGIONS[:2], instances=3) as cloud:
        cloud.discover(everything(REGIONS[1]))
        assert cloud.calls() == {"immediate_jobs": 1, "instances": 1, "details": 1}


@pytest.mark.parametrize("listing", ["exact", "overlap", "moving", "vanishing"])
def test_a_list_that_moves_is_read_until_it_is_complete(listing: str) -> None:
    lists = Lists(instance_paging={listing: 1.0}, proxy_twice=0.2, odd_types=0.3)  # type: ignore[dict-item]
    with site(instances=230, proxies=2, faults=Profile(lists=lists)) as cloud:
        assert ids_of(cloud.discover(everything())) == cloud.there()


def test_v3_is_used_where_v31_is_not() -> None:
    with site(instances=25, proxies=2, faults=Profile(lists=Lists(without_v31=1.0, without_proxy=0.3))) as cloud:
        found = cloud.discover(everything())
        assert ids_of(found) == cloud.there()
        calls = cloud.calls()
        assert calls["instances"] == 2, "the first one was for v3.1"
        assert calls["proxies"] == len({instance for instance, _ in cloud.there()})
        assert found.targets[0].facts is not None
        assert found.targets[0].facts.instance_status == "ACTIVE"
        assert found.targets[0].facts.maintenance_window is None


@pytest.mark.parametrize(
    ("filters", "meant"),
    [
        ({"name": "*-prod-"}, lambda name, _: "-prod-" in name),
        ({"name": "orders*7"}, lambda name, _: name.startswith("orders") and name.endswith("7")),
        ({"tags": {"env": "test"}}, lambda _, tags: tags["env"] == "test"),
        ({"tags": {"env": "prod", "app": "users"}}, lambda _, tags: tags == {"env": "prod", "app": "users"}),
    ],
)
def test_filters(filters: dict[str, Any], meant: Any) -> None:
    with site(instances=120, proxies=1) as cloud:
        everyone = cloud.discover(everything()).targets
        wanted = [each for each in everyone if each.facts and meant(each.facts.name, each.facts.tags)]
        assert cloud.discover(everything(**filters)).targets == wanted
        assert 0 < len(wanted) < 120


def test_an_enterprise_project_and_a_network_are_filters_too() -> None:
    targets = tuple(
        SimulatedTarget(
            region=REGIONS[0],
            instance_id=f"{number:032x}in07",
            proxy_id=f"{number:032x}po01",
            enterprise_project_id="e1" if number < 3 else "0",
            vpc_id="v1" if number % 2 else "v0",
        )
        for number in range(8)
    )
    with site(targets=targets) as cloud:
        found = cloud.discover(everything(enterprise_project_id="e1", vpc_id="v1"))
        assert [target.proxy_id for target in found.targets] == [targets[1].proxy_id]


def test_instances_that_are_named_need_no_list() -> None:
    with site(instances=60, proxies=2) as cloud:
        wanted = sorted({instance for instance, _ in cloud.there()})[:25]
        found = cloud.discover(everything(ids=tuple(wanted)))
        assert {target.instance_id for target in found.targets} == set(wanted)
        assert cloud.calls() == {"immediate_jobs": 1, "details": 2}


def test_an_instance_that_is_named_and_not_there_is_missing() -> None:
    with site(instances=2) as cloud:
        there = min(instance for instance, _ in cloud.there())
        with pytest.raises(DiscoveryIncomplete) as caught:
            cloud.discover(everything(ids=(there, f"{0:032x}in07")))
        assert caught.value.exit_code is ExitCode.SCOPE_UNUSABLE
        assert f"instance {0:032x}in07: discover names it, and the cloud does not have it" in str(caught.value)


def test_entries_that_overlap_count_a_proxy_once_and_ask_once() -> None:
    with site(instances=40, proxies=1) as cloud:
        found = cloud.discover(everything(name="*prod"), everything(tags={"env": "prod"}), everything())
        assert ids_of(found) == cloud.there()
        assert cloud.calls()["details"] == 2


@pytest.mark.parametrize("call", ["instances", "details"])
def test_a_read_that_fails_is_made_again(call: Kind) -> None:
    with site(instances=30, faults=failing(call, times=2)) as cloud:
        assert ids_of(cloud.discover(everything())) == cloud.there()


def test_a_page_that_cannot_be_read_makes_the_discovery_incomplete() -> None:
    with site(instances=150, faults=failing("instances", nth=2, times=99)) as cloud:
        with pytest.raises(DiscoveryIncomplete) as caught:
            cloud.discover(everything())
        assert f"scope {REGIONS[0]}: the list of instances from 100 on (discover[0]): HTTP 5" in str(caught.value)


def test_details_that_cannot_be_read_make_it_incomplete_too() -> None:
    with (
        site(instances=5, faults=failing("details", times=99)) as cloud,
        pytest.raises(DiscoveryIncomplete, match="the details of "),
    ):
        cloud.discover(everything())


def test_a_throttled_scope_is_waited_for() -> None:
    with site(instances=30, faults=failing("details", "throttle_bare", times=2)) as cloud:
        assert ids_of(cloud.discover(everything())) == cloud.there()


def test_one_scope_that_cannot_be_used_is_named_and_nothing_starts() -> None:
    with site(REGIONS[:2], instances=3) as cloud:
        good, bad = cloud.plan.scopes
        scopes = (good, Scope(name="far", region=REGIONS[1], project_id="0" * 32, endpoint="http://127.0.0.1:9"))
        assert bad.name == REGIONS[1]
        with pytest.raises(DiscoveryIncomplete) as caught:
            cloud.discover(everything(), everything("far"), scopes=scopes)
        lines = str(caught.value).splitlines()
        assert lines[0] == "discovery is incomplete, so nothing starts"
        assert len(lines) == 2
        assert lines[1].startswith("scope far: cannot be used: ")


def test_a_proxy_that_is_also_written_out_is_listed_twice() -> None:
    with site(instances=2, proxies=1) as cloud:
        found = cloud.discover(everything())
        first = found.targets[0]
        written = Target(scope=REGIONS[0], instance_id=first.instance_id, proxy_id=first.proxy_id)
        plan = structs.replace(cloud.plan, proxies=(written,), discover=(everything(),))
        with pytest.raises(PlanError, match=r"is listed twice: proxies\[0\] and discover"):
            resolve_targets(plan, found.targets)


def test_a_plan_without_discover_asks_nothing() -> None:
    with site(instances=2) as cloud:
        assert cloud.discover() == Discovered([])
        assert cloud.calls() == {}


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    with site(instances=45, proxies=1) as cloud:
        plan = structs.replace(cloud.plan, discover=(everything(),))
        discover_now(plan, {ENVIRON_NAME: cloud.address.token}, lambda known, found: told.append((known, found)))
    assert told[-1] == (45, 45)
    assert told == sorted(told)
