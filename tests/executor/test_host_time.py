"""The calendar: the host's wall clock, corrected by the clouds where they disagree by more than a minute."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from fakes.clock import VirtualClock, run_virtual

from orchestrator.executor.scope.host_time import HostTime, calendar_ahead_s


@pytest.mark.parametrize(
    ("host_s", "clouds", "ahead_s"),
    [
        (0.0, {}, 0.0),
        (3600.0, {}, 3600.0),
        (3600.0, {"a": 0.0}, 0.0),
        (0.0, {"a": 50.0}, 0.0),
        (0.0, {"a": 61.0}, 61.0),
        (0.0, {"a": 7200.0, "b": 0.4, "c": 0.6}, 0.0),
        (-7200.0, {"a": 9000.0, "b": 0.4, "c": 0.6}, 0.6),
    ],
)
def test_the_calendar_is_the_hosts_unless_the_clouds_say_that_it_is_wrong(
    host_s: float, clouds: Mapping[str, float], ahead_s: float
) -> None:
    assert calendar_ahead_s(host_s, clouds) == ahead_s


def test_a_step_is_told_once_and_a_step_back_too() -> None:
    async def story() -> list[float | None]:
        clock = VirtualClock()
        host = HostTime(clock)
        told = [host.step_s()]
        for by_s in (3.0, 3600.0, 0.0, -3603.0):
            clock.ahead_s += by_s
            told.append(host.step_s())
        assert host.ahead({}) == timedelta()
        return told

    assert run_virtual(story) == [None, None, 3603.0, None, -3603.0]
