"""The plain case: a whole fleet, with the default plan."""

from fakes.stage import Stage, fold_all, plan_of, targets_of


def test_forty_targets_complete() -> None:
    targets = targets_of(40)
    stage = Stage(plan=plan_of(targets))
    played = stage.play()
    assert played.outcomes() == {"succeeded": 40}
    assert played.code == 0
    assert set(played.cloud.books.values()) == {1}
    assert fold_all(stage.plan, played.records).states == played.run.states
