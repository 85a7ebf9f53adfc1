"""What a report says of subnets: what they had left, what was refused, and what that taught."""

from functools import partial
from typing import Any

import jsonschema
import msgspec
from fakes.acts import Fate
from fakes.rollouts import ALL, FREE, LENIENT
from fakes.stage import Stage, plan_of, targets_of
from fakes.vpc import Vpc, spread
from msgspec import UNSET
from msgspec.structs import replace

from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Capacity
from orchestrator.model.reply.reply import Exchange, Refused
from orchestrator.tracker.report.build import Story, build_report
from orchestrator.tracker.report.json_form import report_chunks as json_chunks
from orchestrator.tracker.report.page.render import report_chunks as page_chunks
from orchestrator.tracker.report.parts.capacity_form import CapacityReport
from orchestrator.tracker.report.schema import report_schema
from orchestrator.tracker.report.text_form import text_lines


def story(sizes: dict[str, int], *, number: int = 4, capacity: Capacity | None = None, **cloud: Any) -> Story:
    """The report of a run whose upgrades start one after the other, in subnets of these sizes."""
    made = partial(Vpc, sizes=sizes, default_fate=Fate(duration_s=300.0), **cloud)
    limits = replace(FREE, in_flight=Amount(1))
    targets = spread(targets_of(number), list(sizes))
    plan = plan_of(targets, limits=limits, failures=LENIENT, waves=ALL, capacity=capacity)
    return build_report(Stage(plan=plan, new_cloud=made).play().run, plan)


def found(told: Story) -> CapacityReport:
    assert told.head.capacity is not UNSET
    return told.head.capacity


def test_each_subnet_has_what_it_had_left_and_the_reserve() -> None:
    told = story({"a": 6, "b": 40}, capacity=Capacity(subnet_reserve=2))
    assert found(told).reserve == 2
    assert [(each.subnet_id, each.proxies, each.free) for each in found(told).subnets] == [("a", 2, 6), ("b", 2, 40)]
    assert all(each.read_at and not each.refused and each.learned is None for each in found(told).subnets)
    assert "  a of scope default: 2 proxies, 6 free addresses at 20" in "\n".join(text_lines(told))
    assert "2 free addresses are left alone in each" in b"".join(page_chunks(told)).decode()


def test_what_was_refused_for_want_of_addresses_is_counted_with_what_it_taught() -> None:
    targets = [target.proxy_id for target in targets_of(4)]
    nodes = dict.fromkeys(targets, 5)
    told = story({"a": 4}, capacity=Capacity(subnet_reserve=0), node_nums=nodes, unlisted=set(targets))
    assert [(each.refused, each.learned) for each in found(told).subnets] == [(1, 5)]
    assert "refused 1 time for too few, an upgrade needs 5, as the cloud said" in "\n".join(text_lines(told))


def test_why_subnets_may_not_be_read_is_said_by_scope() -> None:
    denied = Refused("no permission", Exchange(http_status=403))
    told = story({"a": 40}, capacity=Capacity(), fails=dict.fromkeys(range(1, 99), denied))
    assert list(found(told).denied) == ["default"]
    assert "no permission" in found(told).denied["default"]


def test_who_looks_at_no_addresses_has_no_such_part() -> None:
    told = story({"a": 40})
    assert told.head.capacity is UNSET
    assert "Subnets" not in "".join(text_lines(told))
    assert "h-subnets" not in b"".join(page_chunks(told)).decode()


def test_it_stands_in_the_json_as_its_schema_says() -> None:
    report = msgspec.json.decode(b"".join(json_chunks(story({"a": 6}, capacity=Capacity()))))
    jsonschema.Draft202012Validator(report_schema()).validate(report)
    assert report["capacity"]["subnets"][0]["free"] == 6
