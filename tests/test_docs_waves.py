"""docs/waves-and-budgets.md says what the program does: numbers of the preview, budgets, strict mode, ramp."""

import re
from typing import Any

import pytest
import yaml
from fakes.clock import START
from fakes.documents import blocks, read, rows, section
from fakes.rollouts import rollout_of
from fakes.stage import plan_of, targets_of

from orchestrator.executor.decide.actions import Hold
from orchestrator.executor.decide.limits import ramp_allowance, slots
from orchestrator.executor.decide.next_action import next_action
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Failures, Limits, Wave
from orchestrator.planner.preview.preview import make_preview
from orchestrator.planner.preview.preview_text import table
from orchestrator.planner.preview.preview_values import Preview
from orchestrator.planner.targets.resolve import Resolved
from orchestrator.spoken import spoken

PAGE = read("docs/waves-and-budgets.md")
ALL = (Wave(name="all"),)


def preview(number: int, **changes: Any) -> Preview:
    plan = plan_of(targets_of(number), **changes)
    return make_preview(plan, Resolved(list(plan.proxies), []), None)


def test_the_waves_of_the_example_are_those_of_the_preview() -> None:
    text, told = blocks(section(PAGE, "Waves"), "yaml", "text")
    written = yaml.safe_load(text.text)["waves"]
    assert [each["name"] for each in written] == ["canary", "early", "rest"]
    waves = (
        Wave(name="canary", size=Amount(1), soak_s=600.0, max_failures=Amount(0)),
        Wave(name="early", size=Amount(10, percent=True), soak_s=3600.0, max_failures=Amount(1)),
        Wave(name="rest"),
    )
    lines = [line for line in table(preview(300, waves=waves), rows=0) if line.startswith("wave ")]
    assert "\n".join(lines) + "\n" == told.text


@pytest.mark.parametrize("row", list(rows(section(PAGE, "Budgets")))[-4:], ids=lambda row: row[0])
def test_one_per_cent_of_so_many(row: list[str]) -> None:
    targets, budget, held_at = (int(cell.replace(",", "")) for cell in row)
    assert preview(targets).max_failures == budget == held_at - 1
    assert Failures().max.budget(targets) == budget


def test_a_percentage_is_of_what_may_still_need_an_upgrade() -> None:
    assert "With 50 targets of which 40 turn out to be `already`, it is 1 % of 10, which is 0." in PAGE
    rollout = rollout_of(plan_of(targets_of(50), waves=ALL), already=40)
    assert rollout.run.counted == 10
    assert Failures().max.budget(rollout.run.counted) == 0


@pytest.mark.parametrize("row", list(rows(section(PAGE, "Strict and soft"))), ids="-".join)
def test_what_may_be_in_flight_in_strict_mode(row: list[str]) -> None:
    budget, failed, told = int(row[0]), int(row[1]), row[2]
    limits = Limits(in_flight=Amount(100), concurrency=50, rate=50.0, ramp=False)
    plan = plan_of(targets_of(60), waves=ALL, limits=limits, failures=Failures(max=Amount(budget)))
    rollout = rollout_of(plan, failed=failed)
    if told == "held":
        assert isinstance(next_action(rollout, START), Hold)
    else:
        assert slots(rollout).free == int(told)


def test_the_price_of_a_small_budget_is_told() -> None:
    found = preview(50)
    told = blocks(section(PAGE, "Strict and soft"), "text")[0].text.strip()
    assert told in "\n".join(table(found, rows=0))
    assert spoken(found.duration_s).startswith(re.findall(r"about (\d+ h)ours in all", PAGE)[0])


def test_the_budget_with_which_ten_are_in_flight() -> None:
    targets, budget, percent = re.findall(
        r"at (\d+) targets in strict mode, the budget must be (\d+): `max: (\d+)%`", PAGE
    )[0]
    assert Amount(int(percent), percent=True).budget(int(targets)) == int(budget)
    assert preview(int(targets), failures=Failures(max=Amount(int(budget)))).waves[-1].in_flight == 10
    assert preview(int(targets), failures=Failures(max=Amount(int(budget) - 1))).waves[-1].in_flight == 9


def test_the_ramp_grows_as_it_says() -> None:
    steps = [
        (1, 0),
        *((int(most), int(after)) for most, after in re.findall(r"(\d+) after (\d+)", section(PAGE, "Ramp"))),
    ]
    assert steps == [(1, 0), (2, 1), (4, 3), (8, 7)]
    plan = plan_of(targets_of(30), waves=ALL)
    for most, successes in steps:
        assert ramp_allowance(rollout_of(plan, succeeded=successes)) == most
