"""A preview says how many start when a scope cannot be used: none of its targets, and no wave after theirs."""

from collections.abc import Sequence

import pytest
from fakes.stage import plan_of, targets_of

from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Wave
from orchestrator.planner.preview.preview import make_preview
from orchestrator.planner.preview.preview_text import table
from orchestrator.planner.preview.preview_values import Preview
from orchestrator.planner.preview.unusable import without_scopes
from orchestrator.planner.targets.resolve import resolve_targets

GONE = {"two": "no credentials"}


def preview(scopes: Sequence[str], *waves: Wave) -> Preview:
    plan = plan_of(targets_of(4, scopes=scopes), waves=waves or (Wave(name="all"),))
    return make_preview(plan, resolve_targets(plan))


def test_targets_of_a_scope_that_cannot_be_used_do_not_start() -> None:
    whole = preview(("one", "two"))
    seen = without_scopes(whole, GONE, all_required=False)
    assert (whole.starts, seen.starts, seen.sends, seen.unusable) == (4, 2, 4, 2)
    text = "\n".join(table(seen))
    assert "to upgrade 4, 2 of them as things stand, " in text
    assert "scope two cannot be used, so 2 targets of it do not start, and no wave opens after theirs: no cred" in text


def test_no_wave_opens_after_one_that_cannot_end() -> None:
    waves = (Wave(name="first", select=None, size=Amount(3)), Wave(name="rest"))
    seen = without_scopes(preview(("one", "two"), *waves), GONE, all_required=False)
    assert seen.starts == sum(target.scope == "one" for group in seen.waves[0].groups for target in group.targets)


@pytest.mark.parametrize(("unusable", "all_required", "starts"), [({}, True, 4), (GONE, True, 0)])
def test_where_all_scopes_are_required_one_that_is_gone_stops_all(
    unusable: dict[str, str], *, all_required: bool, starts: int
) -> None:
    assert without_scopes(preview(("one", "two")), unusable, all_required=all_required).starts == starts
