"""Counts kept one change at a time are what counting from scratch would give, after any records."""

from fakes.plausible import PlausibleRun
from fakes.recorded import BEGIN, NEW, OLD, empty_run, make_plan, make_targets
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.record import record as r
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.reply.reply import Entry
from orchestrator.model.run.run import Run
from orchestrator.model.run.tally import NOTHING, Count, Tally

KEY = make_targets(1)[0].proxy_id


def recount(run: Run) -> Tally:
    """The tally of a run's states, counted anew; when each was counted as harm is taken from the state itself."""
    tally = Tally(epoch=run.tally.epoch)
    for state in run.states.values():
        tally.move(state, NOTHING, tally.mark(state, run.failures))
    return tally


def comparable(count: Count | None) -> tuple[object, ...]:
    count = count or Count()
    standing = {name: number for name, number in count.standing.items() if number}
    return standing, count.open, count.failed, count.exposed, count.recounted, count.rejected, count.unanswered


@given(st.integers(0, 10_000), st.integers(0, 150))
def test_the_tally_is_a_recount(seed: int, steps: int) -> None:
    run = PlausibleRun(seed).steps(steps).run
    again = recount(run)
    assert comparable(run.tally.fleet) == comparable(again.fleet)
    for name in run.waves:
        assert comparable(run.tally.waves.get(name)) == comparable(again.waves.get(name))
    for name in run.scopes:
        assert comparable(run.tally.scopes.get(name)) == comparable(again.scopes.get(name))
    assert run.tally.open_instances == again.open_instances
    assert run.tally.open_labels == again.open_labels


@given(st.integers(0, 10_000), st.integers(0, 150))
def test_no_count_is_ever_negative_and_scopes_add_up_to_the_fleet(seed: int, steps: int) -> None:
    tally = PlausibleRun(seed).steps(steps).run.tally
    for count in (tally.fleet, *tally.waves.values(), *tally.scopes.values()):
        assert min(count.standing.values(), default=0) >= 0
        assert min(count.open, count.failed, count.exposed, count.recounted, count.rejected) >= 0
        assert count.recounted <= count.exposed <= count.open
    assert tally.fleet.open == sum(count.open for count in tally.scopes.values())
    assert tally.fleet.failed == sum(count.failed for count in tally.scopes.values())


def after(*records: r.Record) -> Run:
    targets = make_targets(2)
    run = empty_run(make_plan(targets), targets)
    for record in records:
        run.apply(record)
    return run


def settled(outcome: Outcome) -> r.Settled:
    return r.Settled(at=BEGIN, target=KEY, outcome=outcome, wave="canary")


def intent(attempt: int) -> r.Intent:
    return r.Intent(
        at=BEGIN, target=KEY, attempt=attempt, wave="canary", token="t", source_version=OLD, target_version=NEW
    )


DOUBT = r.AnswerMissing(at=BEGIN, target=KEY, attempt=1)
REMAINS = r.DoubtRemains(at=BEGIN, target=KEY, attempt=1, why="?")
RELEASED = r.HoldReleased(at=BEGIN, by="ann", note="fine")
RETURNED = r.ReturnedToWaiting(at=BEGIN, target=KEY, settled_by="ann", note="saw nothing")


def test_a_target_in_doubt_is_one_failure_and_one_slot() -> None:
    fleet = after(intent(1), DOUBT, REMAINS).tally.fleet
    assert (fleet.failed, fleet.exposed, fleet.open, fleet.at_risk) == (1, 0, 1, 1)


def test_its_resolution_corrects_the_count() -> None:
    assert after(intent(1), DOUBT, REMAINS, settled(Outcome.SUCCEEDED)).tally.fleet.failed == 0


def test_a_release_accepts_what_was_counted_also_when_it_gets_its_outcome_later() -> None:
    assert after(intent(1), DOUBT, REMAINS, RELEASED, settled(Outcome.FAILED)).tally.fleet.failed == 0


def test_a_release_accepts_what_was_counted_also_when_a_late_answer_came_before_it() -> None:
    late = r.AnswerSeen(
        at=BEGIN, target=KEY, attempt=1, verdict="accepted", update_result=(Entry(workflow_id="w", state="ACCEPT"),)
    )
    run = after(intent(1), DOUBT, REMAINS, late, RELEASED, settled(Outcome.FAILED))
    assert run.tally.fleet.failed == 0


def test_what_turned_out_well_before_a_release_may_fail_after_it() -> None:
    """Nobody has accepted what was not known then: it was found at the end of a soak."""
    unhealthy = r.Reverified(at=BEGIN, target=KEY, attempt=1, healthy=False, version="1", finding="a node is gone")
    well = (intent(1), DOUBT, REMAINS, settled(Outcome.SUCCEEDED))
    assert after(*well, RELEASED, unhealthy).tally.fleet.failed == 1
    assert after(*well, unhealthy).tally.fleet.failed == 1
    assert after(intent(1), DOUBT, REMAINS, RELEASED, settled(Outcome.SUCCEEDED), unhealthy).tally.fleet.failed == 1


def test_a_new_attempt_after_a_release_may_fail_anew() -> None:
    fleet = after(intent(1), DOUBT, REMAINS, RELEASED, RETURNED, intent(2), settled(Outcome.FAILED)).tally.fleet
    assert fleet.failed == 1


def test_what_comes_after_a_release_counts() -> None:
    run = after(RELEASED, settled(Outcome.REJECTED))
    assert (run.tally.fleet.rejected, run.tally.waves["canary"].rejected) == (1, 1)


def test_waiting_targets_are_counted_nowhere() -> None:
    run = after(r.Postponed(at=BEGIN, target=KEY, wave="canary", why="busy", until=BEGIN))
    assert +run.tally.fleet.standing == {}
    assert run.waiting == 2
