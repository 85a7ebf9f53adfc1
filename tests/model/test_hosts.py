"""Which hosts have worked on a run, and who took over from whom."""

from datetime import datetime, timedelta

from fakes.recorded import BEGIN, empty_run, make_plan, make_targets, run_started

from orchestrator.model.record import record as r
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import Record
from orchestrator.model.run.hosts import Takeover
from orchestrator.model.run.run import Run
from orchestrator.tracker.report.build import build_report

PLAN, TARGETS = make_plan(make_targets(3)), make_targets(3)


def at(minutes: float) -> datetime:
    return BEGIN + timedelta(minutes=minutes)


def fold(*records: Record) -> Run:
    run = empty_run(PLAN, TARGETS)
    for record in (run_started(3), *records):
        run.apply(record)
    return run


def session(minutes: float, host: str) -> r.SessionStarted:
    return r.SessionStarted(at=at(minutes), number=1, pid=1, host=host, orchestrator_version="0")


def ended(minutes: float, *, stopped: bool = False) -> r.SessionEnded:
    return r.SessionEnded(at=at(minutes), exit_code=5, why="", stopped=stopped)


def left(minutes: float, *by: str, to: str = "b*") -> r.SessionEnded:
    return r.SessionEnded(at=at(minutes), exit_code=7, why="", left_to=(to,), left_by=by)


def settled(minutes: float) -> r.Settled:
    return r.Settled(at=at(minutes), target=TARGETS[0].proxy_id, outcome=Outcome.ALREADY, wave="rest")


def intent(minutes: float, target: int, attempt: int = 1) -> r.Intent:
    return r.Intent(
        at=at(minutes),
        target=TARGETS[target].proxy_id,
        attempt=attempt,
        wave="rest",
        token="t",
        source_version="1",
        target_version="2",
    )


def stays(run: Run) -> dict[str, tuple[float, float | None, bool, int]]:
    minute = timedelta(minutes=1)
    return {
        name: (
            (each.joined_at - BEGIN) / minute,
            None if each.left_at is None else (each.left_at - BEGIN) / minute,
            each.lost,
            each.targets,
        )
        for name, each in run.hosts.stays.items()
    }


def test_one_that_is_at_work_has_not_left() -> None:
    run = fold(session(1, "a"), intent(2, 0))
    assert stays(run) == {"a": (1, None, False, 1)}
    assert run.hosts.takeover is None


def test_one_that_never_said_that_it_ended_is_lost_when_another_goes_on() -> None:
    run = fold(session(1, "a"), intent(2, 0), session(5, "b"), intent(6, 1), ended(9))
    assert stays(run) == {"a": (1, 2, True, 1), "b": (5, 9, False, 1)}
    assert run.hosts.takeover == Takeover(at(5), "a", "b", lost=True)


def test_one_that_was_told_to_stop_hands_over_and_one_whose_session_was_over_does_not() -> None:
    assert fold(session(1, "a"), ended(2, stopped=True), session(3, "b")).hosts.takeover == Takeover(
        at(3), "a", "b", lost=False
    )
    assert fold(session(1, "a"), ended(2), session(3, "b")).hosts.takeover is None
    assert fold(session(1, "a"), session(3, "a")).hosts.takeover is None


def test_what_others_alone_may_serve_is_gone_on_with_by_each_of_them_once() -> None:
    assert [host for host in ("a", "b1", "b2", "c", None) if left(1, "a", "b1").goes_on_at(host)] == ["b2"]
    assert not ended(1).goes_on_at("b1")
    assert ended(1, stopped=True).goes_on_at("c")


def test_they_take_turns_only_while_targets_are_settled() -> None:
    assert fold(session(1, "a")).hosts.leaving() == ("a",)
    first = (session(1, "a"), left(2, "a"))
    assert fold(*first, session(3, "b")).hosts.leaving() == ("a", "b")
    assert fold(*first, session(3, "b"), settled(4)).hosts.leaving() == ("b",)
    again = (*first, session(3, "b"), left(4, "a", "b", to="a"), session(5, "a"))
    assert fold(*again).hosts.leaving() == ("a", "b")
    assert fold(*again, ended(6), session(7, "b")).hosts.leaving() == ("b",)


def test_a_session_that_begins_long_after_is_a_start_and_no_turn() -> None:
    first = (session(1, "a"), left(2, "a"))
    assert fold(*first, session(12, "b")).hosts.leaving() == ("a", "b")
    assert fold(*first, session(12.1, "b")).hosts.leaving() == ("b",)


def test_one_that_comes_back_is_lost_no_more() -> None:
    run = fold(session(1, "a"), session(3, "b"), ended(4, stopped=True), session(5, "a"))
    assert stays(run) == {"a": (1, None, False, 0), "b": (3, 4, False, 0)}


def test_a_target_counts_once_for_each_host_and_each_attempt_names_its_own() -> None:
    run = fold(session(1, "a"), intent(2, 0), intent(3, 0, 2), session(5, "b"), intent(6, 0, 3), intent(7, 1))
    assert {name: stay[3] for name, stay in stays(run).items()} == {"a": 1, "b": 2}
    targets = [*build_report(run, PLAN).targets]
    assert [[attempt.host for attempt in target.attempts] for target in targets] == [["a", "a", "b"], ["b"], []]


def test_an_attempt_of_before_any_session_names_nobody() -> None:
    assert next(iter(build_report(fold(intent(1, 0)), PLAN).targets)).attempts[0].host is None


def served(minute: float, host: str) -> r.ScopeServed:
    return r.ScopeServed(at=at(minute), scope="default", host=host)


def test_who_serves_a_scope_has_worked_on_the_run_until_another_one_does_or_the_session_ends() -> None:
    run = fold(session(1, "a"), served(2, "b"), intent(3, 0), served(4, "c"), ended(5))
    stays = run.hosts.stays
    assert [(name, stay.led, stay.lost, stay.left_at, stay.targets) for name, stay in stays.items()] == [
        ("a", True, False, at(5), 0),
        ("b", False, True, at(4), 1),
        ("c", False, False, at(5), 0),
    ]
    assert next(iter(run.states.values())).last.host == "b"


def test_who_was_told_to_stop_serving_is_not_lost_and_its_scope_pauses() -> None:
    left = r.ScopeLeft(at=at(3), scope="default", host="b")
    run = fold(session(1, "a"), served(2, "b"), left)
    assert (run.hosts.stays["b"].left_at, run.hosts.stays["b"].lost) == (at(3), False)
    standing = run.scopes["default"].standing(at(4))
    assert (standing.state, standing.since) == ("paused", at(3))
    assert not fold(session(1, "a"), served(2, "b"), left, served(4, "c")).hosts.stays["b"].lost
