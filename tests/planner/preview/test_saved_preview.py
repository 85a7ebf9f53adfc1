"""What differs between a preview that was saved and one that is made now."""

from msgspec import structs

from orchestrator.model.plan.target import Facts, Target
from orchestrator.planner.preview.saved_preview import SavedTarget, differences

FACTS = Facts(name="orders", tags={"env": "prod"}, instance_status="ACTIVE")
TARGET = Target(scope="default", instance_id="i", proxy_id="p", labels={"app": "billing"}, facts=FACTS)
SAVED = SavedTarget(target=TARGET, wave="canary", version="2.23.12.000")


def _said(now: SavedTarget) -> list[str]:
    return [line.removeprefix("proxy p: ") for line in differences([SAVED], [now])]


def _with(**changes: object) -> SavedTarget:
    return structs.replace(SAVED, target=structs.replace(TARGET, **changes))


def test_nothing_differs_of_what_is_the_same() -> None:
    assert _said(SAVED) == []


def test_the_status_of_an_instance_changes_by_itself() -> None:
    assert _said(_with(facts=structs.replace(FACTS, instance_status="BACKING UP"))) == []


def test_every_other_fact_and_label_is_compared() -> None:
    assert _said(_with(facts=structs.replace(FACTS, tags={}))) == ["tags was {'env': 'prod'}, is {}"]
    assert _said(_with(labels={})) == ["labels was {'app': 'billing'}, is {}"]
    assert _said(_with(instance_id="j")) == ["instance_id was i, is j"]
    assert _said(_with(facts=None)) == ["name was orders, is None", "tags was {'env': 'prod'}, is None"]


def test_a_target_that_leaves_the_run_is_told_with_its_fate() -> None:
    assert _said(SavedTarget(target=TARGET)) == ["was to be upgraded in wave canary, is not in the run"]
    failed = SavedTarget(target=TARGET, left_out=("skipped", "failed_before", "failed in an earlier run"))
    assert _said(failed) == [
        "was to be upgraded in wave canary, is skipped: failed_before, failed in an earlier run",
    ]
    assert failed.skipped is None


def test_what_a_look_at_the_version_left_out_is_skipped_for_good() -> None:
    drifted = SavedTarget(target=TARGET, left_out=("skipped", "drifted", "runs 2.22"))
    assert drifted.skipped == ("drifted", "runs 2.22")
    assert SavedTarget(target=TARGET, left_out=("already", "current", "runs 2.24")).skipped is None
