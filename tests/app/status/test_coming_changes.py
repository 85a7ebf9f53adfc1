"""What the next start does otherwise than the session before it."""

from fakes.recorded import BEGIN, empty_run, make_plan, make_targets, run_started
from msgspec.structs import replace

from orchestrator.app.simulate.in_simulation import in_simulation
from orchestrator.app.status.coming_plan import as_edited, coming_changes
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.limit_change import LimitChange, limited
from orchestrator.model.record.limit_record import LimitsChanged
from orchestrator.model.run.run import Run

TARGETS = make_targets(2)
PLAN = make_plan(TARGETS)
EDITED = replace(PLAN, limits=replace(PLAN.limits, per_instance=2))
ASKED = LimitChange(in_flight=Amount(1))


def run_with(asked: LimitChange | None) -> Run:
    run = empty_run(PLAN, TARGETS)
    if asked is not None:
        run.apply(LimitsChanged(at=BEGIN, limits=asked, by="ann", note="slow"))
    return run


def test_an_edit_is_a_change() -> None:
    assert coming_changes(run_with(None), PLAN, PLAN) == {}
    assert list(coming_changes(run_with(None), PLAN, EDITED)) == ["limits.per_instance"]


def test_a_limit_that_a_person_has_set_holds_before_and_after() -> None:
    run = run_with(ASKED)
    assert coming_changes(run, PLAN, limited(PLAN, ASKED)) == {}
    assert list(coming_changes(run, PLAN, limited(EDITED, ASKED))) == ["limits.per_instance"]


def test_what_a_simulation_sets_itself_is_no_change_of_the_plan() -> None:
    session, run = in_simulation(PLAN, "http://127.0.0.1:4711", 60.0), run_with(None)
    run.apply(run_started(len(TARGETS), simulated=True))
    same, edited = (as_edited(run, session, plan) for plan in (PLAN, EDITED))
    assert coming_changes(run, session, same) == {}
    assert list(coming_changes(run, session, edited)) == ["limits.per_instance"]
