"""Turns that come to nothing: what ends one, and that a target whose turn went by is not lost."""

import pytest
from fakes.clock import START
from fakes.clouds import NEW, OLD
from fakes.shared_stage import SharedStage, shared_plan
from fakes.stage import Played, Stage, fold_all, resume
from msgspec import structs

from orchestrator.errors import ExitCode
from orchestrator.executor.dispatch import Dispatcher
from orchestrator.model.plan.amount import Amount
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import (
    HoldReleased,
    HoldSet,
    Intent,
    Postponed,
    PreflightDone,
    Record,
    SessionStarted,
    Settled,
    StoryFailed,
    TurnGiven,
    TurnReturned,
)

PLAN = shared_plan(6, hosts={"bj": (), "sh": ("sh-*",)})
KEY = PLAN.proxies[1].proxy_id


def play(stage: Stage, **changes: object) -> Played:
    return SharedStage(lead=stage, hosts=("sh-1",), **changes).play()  # type: ignore[arg-type]


async def hold(dispatcher: Dispatcher) -> None:
    now = dispatcher.session.clock.now()
    await dispatcher.session.ledger.record(HoldSet(at=now, cause="person", reason="held by ann", by="ann"))


def held_as_turns_are_given() -> Played:
    """The server hears of the hold with the turns: they were given a moment before it."""

    async def watch(dispatcher: Dispatcher) -> None:
        while not dispatcher.session.run.turns:
            await dispatcher.session.clock.sleep(0.001)
        await hold(dispatcher)

    return play(Stage(plan=PLAN, host="bj-1", script=(watch,)))


def test_a_turn_that_comes_under_a_hold_returns_and_is_given_again_after_the_release() -> None:
    held = held_as_turns_are_given()
    own = {target.proxy_id for target in PLAN.proxies if target.scope == "sh"}
    assert held.code == ExitCode.HELD
    assert {each.target for each in held.of(TurnReturned)} == own
    assert not held.run.turns
    assert not own & {each.target for each in (*held.of(PreflightDone), *held.of(Intent))}
    go_on = resume(Stage(plan=PLAN), held, host="bj-1")
    go_on.records = [*held.records, HoldReleased(at=held.ended_at, by="ann", note="go on")]
    played = play(go_on)
    assert played.outcomes() == {"succeeded": 6}
    assert [set(cloud.books.values()) for cloud in played.clouds.values()] == [{1}, {1}]


@pytest.mark.parametrize("given", [1, 4])
def test_a_turn_ends_with_its_session_and_is_given_again_by_the_limits_of_the_next(given: int) -> None:
    """All hosts die when so many turns are written down: a reservation that lived on would know no lower limit."""
    stage = Stage(plan=shared_plan(4, hosts={"sh": ("sh-*",)}), host="bj-1")
    first = play(stage)
    places = [place for place, each in enumerate(first.records) if isinstance(each, TurnGiven)]
    left = first.records[: places[given - 1] + 1]
    assert len(fold_all(stage.plan, left).turns) == given
    slow = structs.replace(stage.plan, limits=structs.replace(stage.plan.limits, in_flight=Amount(1)))
    played = play(resume(stage, first, plan=slow, records=left, clouds={}, host="bj-1"))
    assert played.outcomes() == {"succeeded": 4}
    assert set(played.cloud.books.values()) == {1}
    assert [each.target for each in played.of(TurnGiven)[given:]] == [each.target for each in first.of(TurnGiven)]
    ended = [type(each) for each in played.records if isinstance(each, Intent | Settled)]
    assert ended == [Intent, Settled] * 4  # one after the other


@pytest.mark.parametrize(
    "record",
    [
        TurnReturned(at=START, target=KEY, until=START),
        Postponed(at=START, target=KEY, wave="all", why="busy", until=START),
        StoryFailed(at=START, target=KEY, wave="all", error="KeyError at x.py:1"),
        Settled(at=START, target=KEY, outcome=Outcome.ALREADY, wave="all"),
        Intent(at=START, target=KEY, attempt=1, wave="all", token="t", source_version=OLD, target_version=NEW),
        SessionStarted(at=START, number=2, pid=1, host="h", orchestrator_version="0"),
    ],
    ids=lambda record: type(record).__name__,
)
def test_what_ends_a_turn(record: Record) -> None:
    given = TurnGiven(at=START, target=KEY, wave="all")
    assert fold_all(PLAN, [given]).turns == {KEY: "all"}
    assert fold_all(PLAN, [given, record]).turns == {}
