"""Every target is in exactly one wave; sizes, caps and budgets are the integers that the rules of rounding give."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import PlanError
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.order import order_key
from orchestrator.model.plan.plan import Plan, Scope, Wave
from orchestrator.model.plan.selection import Selector
from orchestrator.model.plan.target import Target
from orchestrator.planner.waves import assign_waves

Load = Callable[..., Plan]


def targets(count: int, **labels: str) -> list[Target]:
    return [
        Target(scope="default", instance_id="i", proxy_id=f"p{number}", labels={"tier": "ab"[number % 2], **labels})
        for number in range(count)
    ]


def plan_of(*waves: Wave) -> Plan:
    return Plan(name="f", path="/f.yaml", sha256="", target_version="2", scopes=(Scope(name="default"),), waves=waves)


def test_the_order_is_that_of_the_key(load: Load) -> None:
    fleet = targets(50)
    staging = assign_waves(load(), fleet)
    drawn = [fleet[index].proxy_id for wave in staging.waves for index in wave.targets]
    assert drawn == sorted(drawn, key=lambda proxy_id: order_key("fleet", proxy_id))
    assert [len(wave.targets) for wave in staging.waves] == [1, 49]


def test_the_integers_behind_the_percentages(load: Load) -> None:
    plan = load(
        """\
waves: [{name: a, size: 1%, max_failures: 50%}, {name: b, size: 10%, max_failures: 10%, max_rejected: 25%}, {name: c}]
limits: {in_flight: 5%}
failures: {max: 3%, max_rejected: 10%}
"""
    )
    staging = assign_waves(plan, targets(99))
    assert [wave.size for wave in staging.waves] == [1, 9, None]
    assert [wave.max_failures for wave in staging.waves] == [0, 0, None]
    assert [wave.max_rejected for wave in staging.waves] == [None, 2, None]
    assert [wave.in_flight for wave in staging.waves] == [1, 1, 3]
    assert (staging.in_flight, staging.max_failures, staging.max_rejected) == (4, 2, 9)


def test_soft_mode_leaves_the_cap_alone(load: Load) -> None:
    staging = assign_waves(load("failures: {mode: soft, max: 0}\nlimits: {in_flight: 7}"), targets(99))
    assert [wave.in_flight for wave in staging.waves] == [7, 7]


def test_budgets_of_scopes_bound_the_fleet_in_strict_mode(load: Load) -> None:
    head = "version: 1\ntarget_version: 2.24.03.000\n"
    region = "region: cn-north-4"
    text = f"scopes: {{a: {{{region}, max_failures: 0}}, b: {{{region}, max_failures: 1}}}}\nfailures: {{max: 50%}}\n"
    plan = load(text + "inventory: x.csv", head=head, proxies=0)
    fleet = [Target(scope="ab"[number % 2], instance_id="i", proxy_id=str(number)) for number in range(40)]
    staging = assign_waves(plan, fleet)
    assert staging.waves[1].in_flight == 3
    assert [(scope.name, scope.targets, scope.max_failures) for scope in staging.scopes] == [("a", 20, 0), ("b", 20, 1)]


def test_what_is_left_out_fills_no_size_and_no_budget(load: Load) -> None:
    plan = load("waves: [{name: a, size: 3}, {name: b}]\nfailures: {max: 10%}")
    fleet = targets(20)
    order = sorted((target.proxy_id for target in fleet), key=lambda proxy_id: order_key("fleet", proxy_id))
    left_out = {order[0], order[2], *order[10:18]}
    staging = assign_waves(plan, fleet, left_out)
    assert [fleet[index].proxy_id for index in staging.waves[0].targets] == order[:5]
    assert [wave.sends for wave in staging.waves] == [3, 7]
    assert staging.max_failures == 1


def test_strays_are_named(load: Load) -> None:
    plan = load("waves: [{name: a, size: 1}, {name: b, select: {labels: {tier: a}}}]")
    with pytest.raises(PlanError, match=r"waves: 9 targets fit no wave: p1, p3, .* and 4 more") as caught:
        assign_waves(plan, [target for target in targets(20) if target.proxy_id != "p0"][:19])
    assert caught.value.hint is not None
    with pytest.raises(PlanError, match="17 targets fit no wave"):
        assign_waves(load("waves: [{name: a, size: 3}]"), targets(20))


def test_too_few_to_fill_a_size_is_a_warning(load: Load) -> None:
    plan = load("waves: [{name: a, size: 50%, select: {labels: {tier: a}}}, {name: b, size: 30}]")
    assert assign_waves(plan, targets(20)).warnings == ("wave b: 10 targets where its size asks for 30",)
    plan = load("waves: [{name: a, size: 75%, select: {labels: {tier: a}}}, {name: b}]")
    assert assign_waves(plan, targets(20)).warnings == ("wave a: 10 targets where its size asks for 15 (75% of 20)",)


def test_selecting_by_an_unknown_fact_is_an_error(load: Load) -> None:
    with pytest.raises(
        PlanError, match=r"fleet.yaml:5:34: waves\[0\].select.name: the name of proxy p\d+ is not known"
    ):
        assign_waves(load('waves: [{name: a, select: {name: "*x"}}, {name: b}]'), targets(5))


sizes = st.builds(Amount, st.integers(1, 100), percent=st.booleans())
selectors = st.sampled_from([None, Selector(labels={"tier": "a"}), Selector(labels={"tier": "b"})])
some_waves = st.lists(st.tuples(sizes, selectors), max_size=5)


@given(waves=some_waves, count=st.integers(0, 60), left_out=st.sets(st.integers(0, 59)))
def test_every_target_is_in_exactly_one_wave(
    waves: list[tuple[Amount, Selector | None]], count: int, left_out: set[int]
) -> None:
    listed = [Wave(name=f"w{number}", size=size, select=select) for number, (size, select) in enumerate(waves)]
    plan = plan_of(*listed, Wave(name="rest"))
    fleet = targets(count)
    skipped = {f"p{number}" for number in left_out if number < count}
    staging = assign_waves(plan, fleet, skipped)
    drawn = [index for wave in staging.waves for index in wave.targets]
    assert sorted(drawn) == list(range(count))
    for wave, share in zip(plan.waves, staging.waves, strict=True):
        assert share.sends == sum(fleet[index].proxy_id not in skipped for index in share.targets)
        assert share.size is None or share.sends <= share.size
        if wave.select:
            assert all(fleet[index].labels["tier"] == wave.select.labels["tier"] for index in share.targets)


def test_a_limit_by_a_label_that_no_target_has_is_warned_of(load: Load) -> None:
    def warned(name: str) -> tuple[str, ...]:
        return assign_waves(load(f"limits: {{per_label: {{{name}: 1}}}}"), targets(3)).warnings

    assert warned("tier") == ()
    assert warned("teir") == ("limits.per_label.teir: no target has this label; did you mean tier?",)
    assert warned("zone") == ("limits.per_label.zone: no target has this label, so it limits nothing",)
