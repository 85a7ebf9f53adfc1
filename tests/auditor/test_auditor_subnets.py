"""The auditor finds what a report says of the addresses of subnets, and the journal does not."""

import json
from functools import cache, partial
from typing import Any

import pytest
from auditor.audit import examine
from auditor.journal import Book
from fakes.acts import Fate
from fakes.rollouts import ALL, FREE, LENIENT
from fakes.stage import Stage, plan_of, targets_of
from fakes.vpc import Vpc, spread
from fakes.written import written

from orchestrator.model.plan.plan import Capacity
from orchestrator.model.reply.reply import Exchange, Refused


@cache
def files() -> tuple[bytes, bytes]:
    """Two subnets; in one an upgrade is refused for want of addresses, the other may not be read from then on."""
    targets = spread(targets_of(6), ["a", "b"])
    hidden = {target.proxy_id for target in targets[::2]}
    denied = Refused("no permission", Exchange(http_status=403))
    made = partial(
        Vpc,
        sizes={"a": 4, "b": 40},
        default_fate=Fate(duration_s=300.0),
        node_nums=dict.fromkeys(hidden, 5),
        unlisted=hidden,
        fails=dict.fromkeys(range(4, 99), denied),
    )
    plan = plan_of(targets, limits=FREE, failures=LENIENT, waves=ALL, capacity=Capacity(subnet_reserve=0))
    played = Stage(plan=plan, new_cloud=made).play()
    return written(played, plan)


def problems(report: Any, book: Book) -> list[str]:
    return [problem for problem in examine(report, book) if "subnet" in problem or "capacity" in problem]


def test_a_true_report_is_believed(report: Any, book: Book) -> None:
    assert {each["subnet_id"] for each in report["capacity"]["subnets"]} == {"a", "b"}
    assert report["capacity"]["subnets"][0]["refused"] >= 1
    assert report["capacity"]["denied"]
    assert problems(report, book) == []


@pytest.mark.parametrize("key", ["free", "read_at", "refused", "learned"])
def test_what_the_journal_does_not_say_is_found(report: Any, book: Book, key: str) -> None:
    for each in report["capacity"]["subnets"]:
        value = each[key]
        each[key] = "never" if isinstance(value, str) else (value or 0) + 1
        assert problems(report, book) != []
        each[key] = value


def test_a_subnet_that_is_left_out_and_a_denial_that_never_was_are_found(report: Any, book: Book) -> None:
    report["capacity"]["subnets"].pop()
    assert problems(report, book) != []
    report = json.loads(files()[0])
    report["capacity"]["denied"] = {}
    assert problems(report, book) != []
