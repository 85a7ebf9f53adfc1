"""What the refused have in common: said when chance is ruled out, and never of noise."""

from math import comb
from random import Random

import pytest
from fakes.recorded import NEW, OLD, make_targets
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator.model.plan.target import Facts
from orchestrator.tracker.report.parts.in_common import Traits, in_common, odds, traits_of


def of(*traits: tuple[str, ...]) -> Traits:
    found = Traits()
    for each in traits:
        found.add(each)
    return found


def test_a_subnet_that_is_full_is_named_with_its_numbers() -> None:
    refused = [("scope a", "label subnet=s1")] * 8
    others = [("scope a", "label subnet=s1")] * 2 + [("scope a", "label subnet=s2")] * 60
    assert in_common(of(*refused), of(*refused, *others)) == ["label subnet=s1: 8 of the 8 refused, 2 of the 62 others"]


def test_what_all_have_and_what_a_few_have_by_chance_is_not_named() -> None:
    assert in_common(of(*[("scope a",)] * 9), of(*[("scope a",)] * 90)) == []
    assert in_common(of(("x",), ("x",)), of(("x",), ("x",), *[("y",)] * 20)) == []
    assert in_common(of(*[("x",)] * 9), of(*[("x",)] * 9)) == [], "there are no others"


@given(st.data())
def test_the_odds_are_the_exact_ones(data: st.DataObject) -> None:
    total = data.draw(st.integers(1, 60))
    marked, refused = data.draw(st.integers(0, total)), data.draw(st.integers(0, total))
    hit = data.draw(st.integers(max(0, marked + refused - total), min(marked, refused)))
    exact = sum(comb(marked, k) * comb(total - marked, refused - k) for k in range(hit, min(marked, refused) + 1))
    if hit * total > marked * refused:
        assert odds(hit, refused, marked, total) == pytest.approx(exact / comb(total, refused), rel=1e-9)


@pytest.mark.parametrize("size", [20, 200, 1500])
def test_random_fleets_are_met_with_silence(size: int) -> None:
    for seed in range(60):
        rng = Random(f"{seed} {size}")
        fleet = [
            (
                f"scope {rng.randrange(3)}",
                f"subnet {rng.randrange(40)}",
                f"nodes {rng.choice((2, 2, 2, 4))}",
                f"label app={rng.randrange(12)}",
                f"tag host={rng.randrange(size)}",
            )
            for _ in range(size)
        ]
        refused = rng.sample(fleet, rng.randrange(1, size))
        assert in_common(of(*refused), of(*fleet), looks=1) == [], seed


def test_everything_that_a_cause_may_lie_in_is_a_trait() -> None:
    facts = Facts(name="n", tags={"net": "s1"}, maintenance_window="18:00-22:00", subnet="net-7", nodes=2)
    target = replace(make_targets(1)[0], labels={"app": "a"}, facts=facts, source_version=NEW)
    assert list(traits_of(target, OLD)) == [
        "scope default",
        f"source_version {OLD}",
        "subnet net-7",
        "nodes 2",
        "label app=a",
        "tag net=s1",
        "window 18:00-22:00",
    ]
