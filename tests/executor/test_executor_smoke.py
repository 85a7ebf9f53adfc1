"""The plain case: a whole fleet, with the default plan."""

from fakes.stage import Stage, fold_all, later, plan_of, resume, targets_of


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
