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
