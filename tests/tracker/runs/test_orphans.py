"""A plan that may be another fleet's file, moved and renamed, does not begin without that fleet's memory unsaid."""

from contextlib import closing
from pathlib import Path

import pytest
from fakes.memory_state import MemoryState
from fakes.recorded import BEGIN, make_plan, make_targets, run_started

from orchestrator.errors import PlanError
from orchestrator.model.record import record as r
from orchestrator.tracker.runs.orphans import orphan, refuse_orphan

TARGETS = make_targets(2)
IDS = {target.proxy_id for target in TARGETS}
ENDED = r.RunEnded(at=BEGIN)
HELD = r.HoldSet(at=BEGIN, cause="person", reason="wait", by="ann", note="wait")


def state(plan: Path, *records: r.Record) -> MemoryState:
    """A fleet called prod of this plan file, with a run of these records."""
    kept = MemoryState()
    fleet = kept.fleet("prod", writes=True)
    fleet.claim(plan)
    with closing(fleet.begin(make_plan(TARGETS, path=str(plan)), TARGETS, run_started(2)).resume(2)) as journal:
        journal.append(records)
    return kept


@pytest.mark.parametrize(
    ("records", "binds"),
    [((), "has a run that is not over"), ((HELD, ENDED), "is held: wait"), ((ENDED,), None)],
    ids=["unfinished", "held", "over"],
)
def test_a_fleet_whose_plan_is_gone_is_found_by_its_proxies(
    tmp_path: Path, records: tuple[r.Record, ...], binds: str | None
) -> None:
    renamed = state(tmp_path / "gone.yaml", *records).fleet("renamed", writes=True)
    found = orphan(renamed, IDS)
    assert found is not None
    assert (found.name, found.binds) == ("prod", binds)
    if binds is None:
        refuse_orphan(renamed, IDS)
        return
    with pytest.raises(PlanError, match=binds) as raised:
        refuse_orphan(renamed, IDS)
    assert "write `name: prod` into it" in (raised.value.hint or "")


def test_of_several_the_one_with_the_same_proxies_is_meant_and_the_one_that_binds_is_refused(tmp_path: Path) -> None:
    kept = state(tmp_path / "gone.yaml", ENDED)
    more, path = make_targets(3), tmp_path / "wide.yaml"
    wide = kept.fleet("wide", writes=True)
    wide.claim(path)
    with closing(wide.begin(make_plan(more, path=str(path)), more, run_started(3)).resume(2)) as journal:
        journal.append((HELD, ENDED))
    renamed = kept.fleet("renamed", writes=True)
    found = orphan(renamed, IDS)
    assert found is not None
    assert (found.name, found.binds) == ("prod", None)
    with pytest.raises(PlanError, match="fleet wide has proxies of this plan") as raised:
        refuse_orphan(renamed, IDS)
    hint = raised.value.hint or ""
    assert hint.startswith(f"if this plan is {tmp_path / 'gone.yaml'}, moved or renamed: write `name: prod` into it")
    assert hint.endswith(f"put {path} back, and end or release its run first")


def test_a_fleet_with_its_plan_or_with_other_proxies_is_another_one(tmp_path: Path) -> None:
    plan = tmp_path / "prod.yaml"
    kept = state(plan, HELD)
    assert orphan(kept.fleet("renamed"), {"another"}) is None
    assert orphan(kept.fleet("prod"), IDS) is None, "nobody is one's own orphan"
    plan.touch()
    assert orphan(kept.fleet("renamed"), IDS) is None
