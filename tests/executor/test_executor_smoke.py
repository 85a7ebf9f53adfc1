"""The plain case: a whole fleet, with the default plan."""

from typing import Any

from fakes.stage import Stage, fold_all, later, plan_of, resume, targets_of

from orchestrator.executor.dispatch import Dispatcher
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Failures, Limits, Wave


def test_forty_targets_complete() -> None:
    targets = targets_of(40)
    stage = Stage(plan=plan_of(targets))
    played = stage.play()
    assert played.outcomes() == {"succeeded": 40}
    assert played.code == 0
    assert set(played.cloud.books.values()) == {1}
    assert fold_all(stage.plan, played.records).states == played.run.states


def test_every_call_is_counted_in_every_session() -> None:
    stage = Stage(plan=plan_of(targets_of(6)), script=(later(30.0, lambda dispatcher: dispatcher.stop("stopped")),))
    first = stage.play()
    assert 0 < first.run.scopes["default"].calls == sum(first.cloud.counts.values())
    played = resume(stage, first).play()
    assert played.code == 0
    assert played.run.scopes["default"].calls == sum(played.cloud.counts.values())


def test_of_a_killed_session_few_calls_are_missing_and_that_is_known() -> None:
    seen: list[tuple[int, int]] = []

    def look(_dispatcher: Dispatcher) -> None:
        assert stage.journal is not None
        seen.append((sum(stage.clouds["default"].counts.values()), len(stage.journal.records)))

    looks = tuple(later(at_s, look) for at_s in (14.0, 29.0, 44.0))
    together: dict[str, Any] = {
        "limits": Limits(ramp=False, in_flight=Amount(40)),
        "failures": Failures(mode="soft"),
    }
    busy = plan_of(targets_of(40), waves=(Wave(name="all"),), **together)
    stage = Stage(plan=busy, script=looks)
    played = stage.play()
    rate = 2
    for made, written in seen:
        killed = fold_all(stage.plan, played.records[:written])
        assert killed.calls_missing
        assert made - (5 * rate + 1) <= killed.scopes["default"].calls <= made
    assert not played.run.calls_missing
