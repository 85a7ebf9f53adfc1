"""Which targets a selector means."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.plan.selection import MissingFact, Selector, like, matches
from orchestrator.model.plan.target import Facts, Target

WRITTEN = Target(scope="bj4", instance_id="i1", proxy_id="p1", labels={"app": "billing", "tier": "gold"})
FOUND = Target(scope="bj4", instance_id="i1", proxy_id="p1", facts=Facts(name="prod-orders", tags={"env": "prod"}))


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        (Selector(), True),
        (Selector(scope="bj4"), True),
        (Selector(scope="sh1"), False),
        (Selector(instance_id="i1", proxy_id="p1"), True),
        (Selector(instance_id="i1", proxy_id="p2"), False),
        (Selector(labels={"app": "billing"}), True),
        (Selector(labels={"app": "billing", "tier": "silver"}), False),
        (Selector(labels={"owner": "dba"}), False),
        (Selector(scope="sh1", name="*"), False),
        (Selector(labels={"owner": "dba"}, tags={"env": "prod"}), False),
    ],
)
def test_all_conditions_must_hold(selector: Selector, expected: bool) -> None:  # a column of the table
    assert matches(selector, WRITTEN) is expected


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        (Selector(name="*orders"), True),
        (Selector(name="prod-*"), True),
        (Selector(name="orders"), False),
        (Selector(tags={"env": "prod"}), True),
        (Selector(tags={"env": "test"}), False),
        (Selector(tags={"team": "x"}), False),
    ],
)
def test_facts_of_discovered_targets(selector: Selector, expected: bool) -> None:  # a column
    assert matches(selector, FOUND) is expected


@pytest.mark.parametrize(("selector", "fact"), [(Selector(name="*"), "name"), (Selector(tags={"a": "b"}), "tags")])
def test_a_fact_that_is_not_known_is_neither_yes_nor_no(selector: Selector, fact: str) -> None:
    for target in (WRITTEN, Target(scope="a", instance_id="i", proxy_id="p", facts=Facts())):
        with pytest.raises(MissingFact, match=f"the {fact} of proxy p") as caught:
            matches(selector, target)
        assert caught.value.fact == fact


@given(st.text("ab*.[", max_size=8), st.text("ab.[", max_size=8))
def test_only_the_star_is_special(pattern: str, text: str) -> None:
    expression = ".*".join(re.escape(part) for part in pattern.split("*"))
    assert like(pattern, text) is bool(re.fullmatch(expression, text))
