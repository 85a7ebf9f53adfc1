"""An exception that nobody foresaw, thrown wherever there is a place for one: it touches one target, or nothing."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fakes import acts
from fakes.clouds import FakeCloud
from fakes.stage import Played, Stage, fold_all, plan_of, resume, targets_of

from orchestrator.executor import background as services
from orchestrator.executor.crash_points import Point
from orchestrator.executor.rate.lanes import Lanes
from orchestrator.executor.scope.scope_calls import ScopeCalls
from orchestrator.executor.supervise import FAILURES
from orchestrator.executor.target import attempt
from orchestrator.executor.target.answer_verdict import judge
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Failures, Limits, Wave
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.part_record import USAGE
from orchestrator.model.record.record import AnswerSeen, Intent, PartFailed, Record, SessionEnded, Settled, StoryFailed
from orchestrator.model.run import fold, run
from orchestrator.tracker.report.build import build_report

#: Nothing is held, so that what the others do is seen to its end.
LENIENT: dict[str, Any] = {
    "limits": Limits(ramp=False, in_flight=Amount(10)),
    "failures": Failures(max=Amount(100, percent=True), max_rejected=Amount(100, percent=True)),
}
COUNT = 6


def stage_of(setup: Callable[[FakeCloud], None] = lambda _cloud: None, **changes: Any) -> Stage:
    return Stage(plan=plan_of(targets_of(COUNT), waves=(Wave(name="all"),), **LENIENT, **changes), cloud_of=setup)


class Thrown(Exception):
    """What is thrown in these tests."""


class ThrowAt:
    """Throws at the nth pass of a point, or at every one from then on."""

    def __init__(self, point: Point, nth: int = 1, kind: type[Exception] = Thrown) -> None:
        self.point, self.left, self.kind = point, nth, kind

    def __call__(self, point: Point) -> None:
        self.left -= point is self.point
        if point is self.point and self.left == 0:
            raise self.kind


def injured(played: Played) -> str:
    """The one target whose story broke off."""
    (failed,) = played.of(StoryFailed)
    assert failed.error.startswith("Thrown at ")
    assert played.run.troubles == [f"target {failed.target}: {failed.error}"]
    return str(failed.target)


def expect_the_others_done(played: Played, target: str) -> None:
    others = {key: played.run.standing(key) for key in played.run.targets if key != target}
    assert set(others.values()) == {"succeeded"}
    assert played.code == 70
    assert played.of(SessionEnded)[-1].exit_code == 70


def expect_its_answer_kept(played: Played, target: str) -> None:
    """If an answer came, its workflow is in the journal and in the report."""
    started = [job.job_id for job in played.cloud.by_proxy[target]]
    report = {entry.proxy_id: entry for entry in build_report(played.run, played.dispatcher.session.plan).targets}
    answers = [record for record in played.of(AnswerSeen) if record.target == target]
    assert [entry.workflow_id for answer in answers for entry in answer.update_result] == started
    assert report[target].workflow_ids == started
    assert any("Thrown at" in finding for finding in report[target].evidence or ())


@pytest.mark.parametrize("nth", [1, 3])
@pytest.mark.parametrize(
    "point", [point for point in Point if point not in (Point.EVIDENCE_READ, Point.DOUBT_RESOLVED)]
)
def test_thrown_at_a_point_it_touches_one_target_and_the_next_session_goes_on(point: Point, nth: int) -> None:
    stage = stage_of()
    stage.reached = ThrowAt(point, nth)
    played = stage.play()
    target = injured(played)
    expect_the_others_done(played, target)
    sent = any(record.target == target for record in played.of(Intent))
    settled = point is Point.SETTLED
    assert played.run.standing(target) == ("succeeded" if settled else "in_doubt" if sent else "waiting")
    if point is not Point.INTENT_WRITTEN:
        expect_its_answer_kept(played, target)
    again = resume(stage, played, after=timedelta(hours=1)).play()
    assert again.outcomes() == {"succeeded": COUNT}
    assert again.code == 0
    assert set(again.cloud.books.values()) == {1}


@pytest.mark.parametrize("point", [Point.SLOT_TAKEN, Point.INTENT_WRITTEN, Point.ANSWER_RECEIVED, Point.VERIFIED])
def test_a_machine_without_memory_is_no_bug_and_touches_as_little(point: Point) -> None:
    stage = stage_of()
    stage.reached = ThrowAt(point, 3, MemoryError)
    played = stage.play()
    (failed,) = played.of(StoryFailed)
    assert (played.code, played.run.troubles) == (8, [])
    (told,) = played.run.host_errors
    assert told.startswith(f"target {failed.target}: the machine gives this process no more memory")
    assert "ulimit -v" in told
    assert "MemoryError at " in told
    assert sorted(played.outcomes().values()) == [1, COUNT - 1]
    again = resume(stage, played, after=timedelta(hours=1)).play()
    assert (again.outcomes(), again.code) == ({"succeeded": COUNT}, 0)
    assert set(again.cloud.books.values()) == {1}


@pytest.mark.parametrize("point", [Point.EVIDENCE_READ, Point.DOUBT_RESOLVED])
def test_thrown_while_a_doubt_is_looked_into_the_target_stays_in_doubt(point: Point) -> None:
    def lose_one(cloud: FakeCloud) -> None:
        cloud.acts[list(cloud.proxies)[2]] = [acts.LOST_ANSWER]

    stage = stage_of(lose_one)
    stage.reached = ThrowAt(point)
    played = stage.play()
    target = injured(played)
    expect_the_others_done(played, target)
    assert played.run.standing(target) == "in_doubt"
    again = resume(stage, played, after=timedelta(hours=1)).play()
    assert (again.outcomes(), again.code) == ({"succeeded": COUNT}, 0)
    assert set(again.cloud.books.values()) == {1}


# --- the answer -------------------------------------------------------------------------------------------------------


def _throw(*_arguments: object, **_names: object) -> Any:
    raise Thrown


def test_an_answer_that_cannot_be_judged_is_kept_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[Any] = []

    def fails_once(reply: Any, instance_id: str, known: Any) -> Any:
        judged.append(reply)
        return _throw() if len(judged) == 2 else judge(reply, instance_id, known)

    monkeypatch.setattr(attempt, "judge", fails_once)
    stage = stage_of()
    played = stage.play()
    target = injured(played)
    expect_the_others_done(played, target)
    (answer,) = [record for record in played.of(AnswerSeen) if record.target == target]
    assert answer.verdict == "in_doubt"
    assert [entry.workflow_id for entry in answer.update_result] == [played.cloud.by_proxy[target][0].job_id]
    again = resume(stage, played).play()
    assert (again.outcomes(), again.code) == ({"succeeded": COUNT}, 0)


def test_an_answer_is_handed_to_the_journal_before_anything_is_concluded_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    observe, seen = ScopeCalls.observe, []

    def fails_once(scope: ScopeCalls, reply: Any, sent_s: float | None = None, *kind: Any) -> bool:
        seen.extend([reply] if isinstance(getattr(reply, "value", None), tuple) else [])
        if len(seen) == 2:
            seen.append(None)
            raise Thrown
        return observe(scope, reply, sent_s, *kind)

    monkeypatch.setattr(ScopeCalls, "observe", fails_once)
    played = stage_of().play()
    target = injured(played)
    expect_the_others_done(played, target)
    expect_its_answer_kept(played, target)


# --- records that cannot be applied -----------------------------------------------------------------------------------


def _unappliable(monkeypatch: pytest.MonkeyPatch, kind: str, target: str) -> None:
    def throws_for_one(of: Any, state: Any, record: Record) -> None:
        if state.key == target and record.__struct_config__.tag == kind:
            raise Thrown
        fold.fold(of, state, record)

    monkeypatch.setattr(run, "fold", throws_for_one)


def _lose_answers(cloud: FakeCloud) -> None:
    cloud.acts[list(cloud.proxies)[1]] = [acts.LOST_REQUEST, acts.LOST_ANSWER]


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("kind", ["preflight_done", "intent", "answer_seen", "job_seen", "settled"])
def test_a_record_that_cannot_be_applied_sets_its_target_aside(
    monkeypatch: pytest.MonkeyPatch, kind: str, lost: bool
) -> None:
    """Live and at every recovery alike: it needs a person, nothing more is sent for it, and the others go on."""
    stage = stage_of(_lose_answers if lost else lambda _cloud: None)
    target = stage.plan.proxies[1].proxy_id
    _unappliable(monkeypatch, kind, target)
    played = stage.play()
    expect_the_others_done(played, target)
    assert played.run.standing(target) == "in_doubt"
    report = build_report(played.run, stage.plan)
    assert any(words.startswith(f"target {target}: the record {kind} ") for words in report.head.run.errors)
    entry = next(each for each in report.targets if each.proxy_id == target)
    if kind not in ("preflight_done", "intent", "answer_seen") or (kind == "answer_seen" and not lost):
        assert entry.workflow_ids == [job.job_id for job in played.cloud.by_proxy[target]]
    calls = played.cloud.counts["upgrade"]
    if kind in ("preflight_done", "intent"):
        assert calls == len(stage.plan.proxies) - 1
    again = resume(stage, played).play()
    assert again.run.standing(target) == "in_doubt"
    assert again.code == 70
    assert again.cloud.counts["upgrade"] == calls


def test_a_person_settles_a_target_that_was_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = stage_of()
    target = stage.plan.proxies[1].proxy_id
    _unappliable(monkeypatch, "answer_seen", target)
    played = stage.play()
    decided = Settled(
        at=played.ended_at, target=target, outcome=Outcome.SUCCEEDED, settled_by="ann", note="seen in the console"
    )
    folded = fold_all(stage.plan, [*played.records, decided])
    assert folded.standing(target) == "succeeded"
    assert folded.set_aside() == []


# --- those beside the stories -----------------------------------------------------------------------------------------


def _failing(
    monkeypatch: pytest.MonkeyPatch, times: int, owner: Any, name: str, kind: type[Exception] = Thrown
) -> None:
    real, left = getattr(owner, name), [times]

    def fails(*arguments: Any, **names: Any) -> Any:
        left[0] -= 1
        if left[0] >= 0:
            raise kind
        return real(*arguments, **names)

    monkeypatch.setattr(owner, name, fails)


SERVICES = [
    (Lanes, "serve", "the turns of scope default"),
    (Lanes, "until_released", "the pauses of scope default"),
    (services, "keep", "the probe of scope default"),
]


@pytest.mark.parametrize(("owner", "name", "part"), SERVICES, ids=[each[2] for each in SERVICES])
def test_a_service_that_fails_is_started_again(
    monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, part: str
) -> None:
    _failing(monkeypatch, FAILURES - 1, owner, name)
    played = stage_of().play()
    assert (played.outcomes(), played.code) == ({"succeeded": COUNT}, 0)
    assert [failed.part for failed in played.of(PartFailed)] == [part] * (FAILURES - 1)
    assert len(played.run.warnings) == 1


@pytest.mark.parametrize(("owner", "name", "part"), SERVICES, ids=[each[2] for each in SERVICES])
def test_a_service_that_always_fails_ends_the_session_in_good_order(
    monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, part: str
) -> None:
    _failing(monkeypatch, 10**6, owner, name)
    stage = stage_of()
    played = stage.play()
    assert played.code == 70
    assert part in played.finish.why
    assert played.run.troubles[0].startswith(f"{part}: Thrown at ")
    monkeypatch.undo()
    again = resume(stage, played, after=timedelta(hours=1)).play()
    assert (again.outcomes(), again.code) == ({"succeeded": COUNT}, 0)
    assert set(again.cloud.books.values()) == {1}


def test_a_service_that_gets_no_memory_ends_the_session_in_good_order_and_is_no_bug(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owner, name, part = SERVICES[0]
    _failing(monkeypatch, 10**6, owner, name, MemoryError)
    played = stage_of().play()
    assert (played.code, played.run.troubles) == (8, [])
    assert played.run.host_errors[0].startswith(f"{part}: the machine gives this process no more memory")
    assert played.finish.why == played.run.host_errors[0]


def test_the_note_of_use_may_fail_for_ever_and_the_run_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    _failing(monkeypatch, 10**6, ScopeCalls, "take_usage")
    played = stage_of().play()
    assert (played.outcomes(), played.code) == ({"succeeded": COUNT}, 0)
    assert {failed.part for failed in played.of(PartFailed)} == {USAGE}
