"""How many at once: in flight, on an instance, of a label, and the ramp."""

from typing import Any

import pytest
from fakes.acts import Fate
from fakes.clock import START
from fakes.rollouts import LENIENT, failing, stage_of
from fakes.stage import Played, fold_all, plan_of, targets_of
from judge.journal import expect_kept
from msgspec.structs import replace

from orchestrator.app.status.outlook import look
from orchestrator.executor.decide.foreseen import time_left_s
from orchestrator.executor.decide.limits import Room, slots
from orchestrator.executor.decide.waits import Cause
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.order import order_key
from orchestrator.model.plan.plan import Failures, Follow, Limits, Wave
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import (
    AnswerSeen,
    DoubtRemains,
    DoubtRenewed,
    FollowTimedOut,
    Intent,
    Record,
    Settled,
    WaveOpened,
)

TARGETS = targets_of(12)
STUCK, OTHER, *MORE = TARGETS


def of_stuck(record: type[Any], **values: Any) -> Record:
    made: Record = record(at=START, target=STUCK.proxy_id, attempt=1, **values)
    return made


def sent(proxy_id: str) -> Record:
    return Intent(at=START, target=proxy_id, attempt=1, wave="all", token="t", source_version="1", target_version="2")


DOUBTED = of_stuck(AnswerSeen, verdict="in_doubt")
REMAINS = of_stuck(DoubtRemains, why="nothing shows it")
TIMED_OUT = of_stuck(FollowTimedOut, why="no end")
RENEWED = of_stuck(DoubtRenewed, why="a job came")


def most_at_once(played: Played, key: Any) -> int:
    """The most targets between intent and outcome at one instant, of one kind."""
    now_open: dict[str, Any] = {}
    most = 0
    for record in played.records:
        if isinstance(record, Intent):
            now_open[record.target or ""] = key(played.run.targets[record.target or ""])
        elif isinstance(record, Settled):
            now_open.pop(record.target or "", None)
        most = max([most, *(list(now_open.values()).count(kind) for kind in set(now_open.values()))])
    return most


@pytest.mark.parametrize("cap", [1, 2])
def test_per_instance_bounds_what_is_in_flight_on_one(cap: int) -> None:
    limits = Limits(in_flight=Amount(50), rate=50.0, ramp=False, per_instance=cap)
    played = stage_of(24, limits=limits, per_instance=4).play()
    assert played.outcomes() == {"succeeded": 24}
    assert most_at_once(played, lambda target: target.instance_id) == cap


def test_per_label_bounds_what_shares_a_value() -> None:
    limits = Limits(in_flight=Amount(50), rate=50.0, ramp=False, per_label={"app": 2})
    played = stage_of(24, limits=limits).play()
    assert played.outcomes() == {"succeeded": 24}
    assert most_at_once(played, lambda target: target.labels["app"]) == 2


def test_in_flight_is_reached_and_never_exceeded() -> None:
    limits = Limits(in_flight=Amount(7), rate=50.0, ramp=False)
    played = stage_of(30, limits=limits).play()
    assert most_at_once(played, lambda _target: "all") == 7


def test_the_ramp_doubles_with_success() -> None:
    limits = Limits(in_flight=Amount(8), rate=50.0)
    waves = (Wave(name="canary", size=Amount(1)), Wave(name="rest"))
    played = stage_of(60, limits=limits, waves=waves).play()
    now_open: set[str] = set()
    most_by_success: dict[int, int] = {}
    for record in played.records:
        if isinstance(record, Intent) and record.wave == "rest":
            now_open.add(record.target or "")
        elif isinstance(record, Settled):
            now_open.discard(record.target or "")
        successes = sum(isinstance(other, Settled) for other in played.records[: played.records.index(record)]) - 1
        most_by_success[successes] = max(most_by_success.get(successes, 0), len(now_open))
    for successes, most in most_by_success.items():
        assert most <= max(1, 2 ** max(0, (successes + 1).bit_length() - 1)), (successes, most)
    assert max(most_by_success.values()) == 8


def free(*records: Record, succeeded: int = 0, **plan: Any) -> Room:
    """The room after one target was sent, and has these records, and so many others have succeeded."""
    made = plan_of(TARGETS, **{"waves": (Wave(name="all"),), "failures": LENIENT, **plan})
    well = [Settled(at=START, target=each.proxy_id, outcome=Outcome.SUCCEEDED, wave="all") for each in MORE[:succeeded]]
    run = fold_all(made, (WaveOpened(at=START, wave="all"), sent(STUCK.proxy_id), *records, *well))
    return slots(look(made, run, (), START, working=True).rollout)


RAMP_AT_1 = (Room(0, "ramp at 1", Cause.RAMP), Room(1, "ramp at 1", Cause.RAMP))


@pytest.mark.parametrize(
    ("records", "room"),
    [
        ((), RAMP_AT_1[0]),
        ((DOUBTED,), RAMP_AT_1[0]),
        ((DOUBTED, REMAINS), RAMP_AT_1[1]),
        ((TIMED_OUT,), RAMP_AT_1[1]),
        ((DOUBTED, REMAINS, RENEWED), RAMP_AT_1[0]),
        ((TIMED_OUT, sent(OTHER.proxy_id)), RAMP_AT_1[0]),
    ],
    ids=[
        "in flight",
        "in its doubt period",
        "in doubt",
        "timed out",
        "in doubt again",
        "timed out beside one in flight",
    ],
)
def test_what_is_stuck_takes_no_room_of_the_ramp_and_does_not_let_it_grow(
    records: tuple[Record, ...], room: Room
) -> None:
    assert free(*records) == room


@pytest.mark.parametrize(
    ("plan", "room"),
    [
        ({"limits": Limits(in_flight=Amount(2))}, Room(0, "in_flight 2")),
        (
            {"failures": Failures(max=Amount(1), max_rejected=Amount(9))},
            Room(0, "strict, failures budget 1 of the fleet", Cause.BUDGET),
        ),
        (
            {"failures": Failures(max=Amount(1), max_rejected=Amount(9), counts=("failed",))},
            Room(0, "strict, failures budget 1 of the fleet", Cause.BUDGET),
        ),
    ],
    ids=["in_flight", "strict", "strict, where it is no failure"],
)
def test_what_is_stuck_keeps_every_other_place(plan: dict[str, Any], room: Room) -> None:
    assert free(TIMED_OUT, sent(OTHER.proxy_id), succeeded=3, **plan) == room


def test_the_time_that_is_left_counts_with_the_slots_that_are_not_stuck() -> None:
    made = plan_of(TARGETS, waves=(Wave(name="all"),), failures=LENIENT, limits=Limits(in_flight=Amount(3), ramp=False))
    run = fold_all(made, (WaveOpened(at=START, wave="all"), sent(STUCK.proxy_id), TIMED_OUT))
    assert time_left_s(look(made, run, (), START, working=True).rollout) == 12 / 2 * 600


def test_one_stuck_job_right_after_the_canary_does_not_stop_the_night() -> None:
    waves = (Wave(name="canary", size=Amount(1)), Wave(name="rest"))
    second = sorted(range(20), key=lambda number: order_key("fleet", targets_of(20)[number].proxy_id))[1]
    hangs = Fate(status="Unauthorized", duration_s=60.0, flips=None)
    for failures in (LENIENT, replace(LENIENT, max=Amount(50, percent=True), mode="strict")):
        stage = stage_of(
            20,
            failing(second, fate=hangs),
            waves=waves,
            failures=failures,
            limits=Limits(in_flight=Amount(8), rate=50.0),
            follow=Follow(timeout_s=900.0, expected_s=300.0),
        )
        played = stage.play()
        expect_kept(stage.plan, played.records)
        assert (played.outcomes(), played.code) == ({"succeeded": 19, "timed_out": 1}, 6)
        assert most_at_once(played, lambda _target: "all") == 8
