"""Who goes next: attempts before preflights, polls with their share, and nobody forgotten."""

from collections import Counter
from collections.abc import Awaitable, Callable

import anyio
import pytest
from fakes.clock import VirtualClock, run_virtual

from orchestrator.executor.rate.auto_rate import auto_pacer
from orchestrator.executor.rate.fixed_rate import WindowPacer
from orchestrator.executor.rate.lane import Lane
from orchestrator.executor.rate.lanes import Lanes
from orchestrator.executor.rate.pacer import Pacer


def with_lanes(rate: float, story: Callable[[Lanes], Awaitable[None]], seed: int = 0) -> None:
    with_pacer(WindowPacer(rate), story, seed)


def with_pacer(pacer: Pacer, story: Callable[[Lanes], Awaitable[None]], seed: int = 0) -> None:
    async def main() -> None:
        lanes = Lanes(pacer, VirtualClock())
        async with anyio.create_task_group() as group:
            group.start_soon(lanes.serve)
            await story(lanes)
            group.cancel_scope.cancel()

    run_virtual(main, seed=seed)


@pytest.mark.parametrize("starts", [Lane.SEND, Lane.START])
def test_polls_get_their_share_and_no_more_than_they_need(starts: Lane) -> None:
    turns: Counter[Lane] = Counter()

    async def story(lanes: Lanes) -> None:
        async def caller(lane: Lane) -> None:
            while True:
                await lanes.turn(lane)
                turns[lane] += 1

        async with anyio.create_task_group() as group:
            for lane in (starts, Lane.POLL):
                for _ in range(20):
                    group.start_soon(caller, lane)
            await anyio.sleep(100)
            group.cancel_scope.cancel()

    with_lanes(10.0, story)
    assert sum(turns.values()) == pytest.approx(1000, abs=5)
    assert turns[Lane.POLL] / 1000 == pytest.approx(0.3, abs=0.01)


def test_without_polls_the_others_get_everything() -> None:
    turns: Counter[Lane] = Counter()

    async def story(lanes: Lanes) -> None:
        async def caller() -> None:
            while True:
                await lanes.turn(Lane.START)
                turns[Lane.START] += 1

        with anyio.move_on_after(100):
            async with anyio.create_task_group() as group:
                for _ in range(5):
                    group.start_soon(caller)

    with_lanes(10.0, story)
    assert turns[Lane.START] == pytest.approx(1000, abs=5)


def test_attempts_go_before_preflights() -> None:
    order: list[Lane] = []

    async def story(lanes: Lanes) -> None:
        async def caller(lane: Lane) -> None:
            await lanes.turn(lane)
            order.append(lane)

        await lanes.turn(Lane.START)
        async with anyio.create_task_group() as group:
            for lane in (Lane.START, Lane.START, Lane.SEND, Lane.SEND):
                group.start_soon(caller, lane)

    with_lanes(1.0, story)
    assert order == [Lane.SEND, Lane.SEND, Lane.START, Lane.START]


@pytest.mark.parametrize("seed", range(20))
def test_callers_that_give_up_take_nobody_elses_turn(seed: int) -> None:
    served = 0

    async def story(lanes: Lanes) -> None:
        async def caller(patience_s: float) -> None:
            nonlocal served
            with anyio.move_on_after(patience_s):
                await lanes.turn(Lane.POLL)
                served += patience_s > 1000

        async with anyio.create_task_group() as group:
            for number in range(60):
                group.start_soon(caller, 2000.0 if number % 2 else number / 10)

    with_lanes(2.0, story, seed)
    assert served == 30


def test_when_the_cloud_throttles_starters_go_home_and_polls_wait() -> None:
    told: dict[Lane, bool] = {}
    at: dict[Lane, float] = {}

    async def story(lanes: Lanes) -> None:
        async def caller(lane: Lane) -> None:
            told[lane] = await lanes.turn(lane)
            at[lane] = anyio.current_time()

        await lanes.turn(Lane.POLL)
        async with anyio.create_task_group() as group:
            for lane in Lane:
                group.start_soon(caller, lane)
            await anyio.sleep(0.1)
            lanes.throttle(50.0)
            assert not await lanes.turn(Lane.START)
            assert not await lanes.turn(Lane.SEND)

    with_lanes(1.0, story)
    assert told == {Lane.SEND: False, Lane.START: False, Lane.POLL: True}
    assert at[Lane.START] == pytest.approx(0.1)
    assert at[Lane.POLL] >= 50.1


def test_the_end_of_a_pause_is_told() -> None:
    ends: list[float] = []

    async def story(lanes: Lanes) -> None:
        async def listen() -> None:
            while True:
                await lanes.until_released()
                ends.append(anyio.current_time())

        async with anyio.create_task_group() as group:
            group.start_soon(listen)
            lanes.throttle(10.0)
            await anyio.sleep(5)
            lanes.throttle(10.0)
            await anyio.sleep(100)
            lanes.throttle(1.0)
            await anyio.sleep(100)
            group.cancel_scope.cancel()

    with_lanes(1.0, story)
    assert ends == [15.0, 106.0]


def test_polls_get_their_share_of_a_rate_that_is_found_out() -> None:
    turns: Counter[Lane] = Counter()

    async def story(lanes: Lanes) -> None:
        async def caller(lane: Lane) -> None:
            while True:
                await lanes.turn(lane)
                turns[lane] += 1
                sent_s = anyio.current_time()
                await anyio.sleep(0.05)
                lanes.answered(sent_s, "")

        async with anyio.create_task_group() as group:
            for lane in (Lane.START, Lane.POLL):
                for _ in range(20):
                    group.start_soon(caller, lane)
            await anyio.sleep(30)
            group.cancel_scope.cancel()

    with_pacer(auto_pacer(), story)
    assert sum(turns.values()) > 200, "it grows"
    assert turns[Lane.POLL] / turns.total() == pytest.approx(0.3, abs=0.02)
