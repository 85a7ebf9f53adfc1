"""The real clock."""

from datetime import UTC, datetime, timedelta

import anyio
import pytest

from orchestrator.clock import SystemClock


def test_now_is_aware_and_in_utc() -> None:
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert abs(datetime.now(UTC) - now) < timedelta(seconds=5)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_sleeping_takes_monotonic_time(backend: str) -> None:
    async def story() -> float:
        clock = SystemClock()
        before_s = clock.monotonic()
        await clock.sleep(0.01)
        return clock.monotonic() - before_s

    assert anyio.run(story, backend=backend) >= 0.009


def test_a_step_of_the_wall_clock_does_not_reach_now(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SystemClock()
    stepped = datetime.now(UTC) + timedelta(days=2)
    monkeypatch.setattr(SystemClock, "wall", lambda _self: stepped)
    assert abs(datetime.now(UTC) - clock.now()) < timedelta(seconds=5)
    assert clock.wall() == stepped


def test_it_may_show_another_clock_and_its_seconds_stay_its_own() -> None:
    hour = timedelta(hours=1)
    here, there = SystemClock(), SystemClock(hour)
    assert abs(there.now() - here.now() - hour) < timedelta(minutes=10)
    assert abs(there.wall() - here.wall() - hour) < timedelta(minutes=10)
    assert abs(there.monotonic() - here.monotonic()) < 600
