"""How many proxies of a wave the preview says may be in flight together."""

import pytest
from fakes.stage import plan_of, targets_of
from msgspec import structs

from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Limits, Wave
from orchestrator.planner.preview.preview import make_preview
from orchestrator.planner.preview.preview_text import table
from orchestrator.planner.targets.resolve import Resolved

TARGETS = [
    structs.replace(target, labels={"app": "ab"[number % 2]} if number < 6 else {})
    for number, target in enumerate(targets_of(8, per_instance=2))
]


@pytest.mark.parametrize(
    ("limits", "most", "by"),
    [
        ({"per_label": {"app": 1}, "per_instance": 9}, 4, "per_label"),
        ({"per_label": {"app": 2}, "per_instance": 9}, 6, "per_label"),
        ({"per_label": {"app": 9}}, 4, "per_instance"),
        ({"per_instance": 9}, 8, "the length of one upgrade"),
        ({"per_instance": 9, "in_flight": Amount(3)}, 3, "in_flight 3"),
    ],
)
def test_instances_and_labels_bound_it_too(limits: dict[str, object], most: int, by: str) -> None:
    whole = Limits(**{"in_flight": Amount(8), "ramp": False, **limits})  # type: ignore[arg-type]
    plan = plan_of(TARGETS, waves=(Wave(name="all"),), limits=whole)
    plan = structs.replace(plan, failures=structs.replace(plan.failures, mode="soft"))
    found = make_preview(plan, Resolved(TARGETS, []))
    (wave,) = found.waves
    assert (wave.at_once, wave.limited_by) == (most, by)
    assert any(line.startswith(f"wave all: 8 proxies, at most {most} in flight, ") for line in table(found))
