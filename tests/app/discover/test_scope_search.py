"""Searching a scope when the cloud's answers contradict each other; the cloud is one in memory."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest

from orchestrator.app.discover.discover import DiscoveryIncomplete, discover
from orchestrator.app.scopes.inventory_api import ApiVersion
from orchestrator.clock import SystemClock
from orchestrator.executor.rate.fixed_rate import WindowPacer
from orchestrator.executor.rate.lanes import Lanes
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.model.plan.plan import Discover, InstanceFilter, Retry
from orchestrator.model.reply.reply import Answered, Busy, Exchange, JobPage, Page, Refused, Reply


def instance_id(number: int) -> str:
    return f"{number:032x}in07"


def proxy_id(number: int) -> str:
    return f"{number:032x}po01"


def answered(*rows: dict[str, Any], total: int | None = None) -> Answered[Page]:
    return Answered(Page(rows=rows, total_count=total), Exchange(http_status=200))


def refused(status: int, code: str, *, not_found: bool = False) -> Refused:
    return Refused(f"no: {code}", Exchange(http_status=status, error_code=code), not_found=not_found)


@dataclass
class Cloud:
    """Instances 0, 1, 2 …, one proxy on each; what the tests change goes before.

    Attributes:
        count: of instances in the list.
        gone: they vanish from everything when the first page has been read.
        details: what the question for details answers instead, if anything.
        proxies_of: what the list of an instance's proxies answers instead.
        without_facts: keys that rows do not have.
    """

    count: int = 3
    gone: set[int] = field(default_factory=set)
    details: Reply[Page] | None = None
    proxies_of: dict[int, Reply[Page]] = field(default_factory=dict)
    without_facts: set[str] = field(default_factory=set)
    asked: Counter[str] = field(default_factory=Counter)
    generation: int = 0
    project_id: str | None = "p"

    async def prepare(self) -> None:
        return None

    async def renew(self) -> None:
        return None

    async def jobs(self, **_query: Any) -> Reply[JobPage]:
        return Answered(JobPage(jobs=(), total_count=0), Exchange(http_status=200))

    async def instances(
        self, *, offset: int, version: ApiVersion = "v3.1", filters: Mapping[str, str] | None = None
    ) -> Reply[Page]:
        self.asked[f"instances {version}"] += 1
        left = [number for number in range(self.count) if not (number in self.gone and self.asked.total() > 1)]
        if filters and "id" in filters:
            left = [number for number in left if instance_id(number) == filters["id"]]
        rows = [self._row(number) for number in left[offset : offset + 100]]
        return answered(*rows, total=len(left))

    async def instance_details(self, instance_ids: Sequence[str]) -> Reply[Page]:
        self.asked["details"] += 1
        if self.details is not None:
            return self.details
        numbers = [int(each[:32], 16) for each in instance_ids]
        there = [number for number in numbers if number < self.count and number not in self.gone]
        return answered(*({**self._row(each), "proxies": [{"pool_id": proxy_id(each)}]} for each in there))

    async def proxies(self, instance_id: str) -> Reply[Page]:
        self.asked["proxies"] += 1
        number = int(instance_id[:32], 16)
        if number in self.gone:
            return refused(404, "DBS.200408", not_found=True)
        return self.proxies_of.get(number) or answered({"proxy": {"pool_id": proxy_id(number), "name": "rw"}})

    async def scheduled_upgrade(self, instance_id: str, proxy_id: str) -> Reply[Page]:
        raise AssertionError(f"nobody asks for {instance_id} {proxy_id}")

    def _row(self, number: int) -> dict[str, Any]:
        row = {"id": instance_id(number), "name": f"i{number}", "tags": [], "proxy_ips": ["10.0.0.1"]}
        return {key: value for key, value in row.items() if key not in self.without_facts}


def found(cloud: Cloud, **filters: Any) -> list[int]:
    """The numbers of the proxies that a discovery finds."""

    async def story() -> list[int]:
        clock = SystemClock()
        scope = ScopeCalls(
            name="s",
            api=cloud,  # type: ignore[arg-type]  # it has every call that a discovery makes
            lanes=Lanes(WindowPacer(100_000.0), clock),
            retry=Retry(attempts=2, backoff_s=0.001, max_backoff_s=0.001),
            clock=clock,
            chance=lambda: 0.0,
            note=lambda _record: None,
        )
        entry = Discover(scope="s", instances=InstanceFilter(**filters))
        made = await discover([entry], {"s": scope}, readers=3, clock=clock, on_found=lambda _known, _found: None)
        return [int(target.proxy_id[:32], 16) for target in made.targets]

    return anyio.run(story)


def test_an_instance_that_goes_between_list_and_details_is_left_out_and_hides_no_other() -> None:
    cloud = Cloud(count=150, gone={7})
    assert sorted(found(cloud)) == [number for number in range(150) if number != 7]
    assert cloud.asked["proxies"] == 1, "the cloud's own word that it is gone"


def test_details_that_are_refused_are_replaced_by_one_question_for_each_instance() -> None:
    cloud = Cloud(count=3, details=refused(403, "DBS.200010"))
    assert found(cloud) == [0, 1, 2]
    assert cloud.asked == {"instances v3.1": 1, "details": 1, "proxies": 3}


def test_a_gateway_without_details_is_asked_once() -> None:
    cloud = Cloud(count=45, details=refused(404, "APIGW.0101"))
    assert found(cloud) == list(range(45))
    assert cloud.asked["details"] <= 3, "once for each reader that was under way"


def test_instances_that_are_named_are_found_without_details_too() -> None:
    cloud = Cloud(count=3, details=refused(404, "APIGW.0101"))
    assert found(cloud, ids=(instance_id(2), instance_id(0))) == [2, 0]
    assert cloud.asked == {"details": 1, "instances v3.1": 2, "proxies": 2}


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (Busy("busy", Exchange(http_status=409)), "the proxies of instance {}: HTTP 409: busy"),
        (answered({"proxy": {"pool_id": "x"}}), "the proxies of instance {}: a proxy with the id 'x'"),
        (answered(*[{"proxy": {}}] * 100), "the proxies of instance {}: more than one page of them"),
        (refused(403, "DBS.200010"), "the proxies of instance {}: HTTP 403: no: DBS.200010"),
    ],
    ids=["busy", "odd id", "too many", "refused"],
)
def test_proxies_that_cannot_be_learned_make_it_incomplete(told: Reply[Page], words: str) -> None:
    cloud = Cloud(details=refused(403, "DBS.200010"), proxies_of={1: told})
    with pytest.raises(DiscoveryIncomplete) as caught:
        found(cloud)
    assert str(caught.value).splitlines()[1:] == [f"scope s: {words.format(instance_id(1))}"]


def test_an_instance_without_a_proxy_brings_no_target() -> None:
    cloud = Cloud(details=refused(403, "DBS.200010"), proxies_of={1: answered()})
    assert found(cloud) == [0, 2]


def test_a_fact_that_the_cloud_does_not_tell_makes_it_incomplete() -> None:
    with pytest.raises(DiscoveryIncomplete) as caught:
        found(Cloud(count=9, without_facts={"tags"}), tags={"env": "prod"})
    lines = str(caught.value).splitlines()
    assert lines[1] == f"scope s: instance {instance_id(0)}: the cloud does not tell its tags, which discover asks for"
    assert lines[-1] == "scope s: and 4 more problems"
