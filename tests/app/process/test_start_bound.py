from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.app.process.start_bound import longest_s, seconds, start_bound
from orchestrator.errors import UsageError

NOW = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        ("23:00", datetime(2026, 3, 1, 23, 0, tzinfo=UTC)),
        ("22:30", datetime(2026, 3, 2, 22, 30, tzinfo=UTC)),
        ("05:00", datetime(2026, 3, 2, 5, 0, tzinfo=UTC)),
        ("2026-03-02T05:00:00Z", datetime(2026, 3, 2, 5, 0, tzinfo=UTC)),
        ("2026-03-02T05:00:00+08:00", datetime(2026, 3, 1, 21, 0, tzinfo=UTC)),
    ],
)
def test_until_is_the_next_such_time_or_the_instant(until: str, expected: datetime) -> None:
    assert start_bound(until, NOW) == expected


@pytest.mark.parametrize("until", ["24:00", "7:00", "noon", "2026-03-02T05:00:00", ""])
def test_until_that_cannot_be_read_is_refused(until: str) -> None:
    with pytest.raises(UsageError, match="--until"):
        start_bound(until, NOW)


def test_the_earlier_bound_holds() -> None:
    assert start_bound("23:00", NOW) == NOW + timedelta(minutes=30)
    assert longest_s("10m") == 600
    assert start_bound(None, NOW) is None
    assert longest_s(None) is None


@pytest.mark.parametrize(
    ("text", "expected"), [("500ms", 0.5), ("15s", 15), ("50m", 3000), ("1.5h", 5400), ("2d", 172800)]
)
def test_durations_carry_a_unit(text: str, expected: float) -> None:
    assert seconds(text, "--wait") == expected


@pytest.mark.parametrize("text", ["15", "-1m", "1w", "", "1 m m"])
def test_durations_without_a_known_unit_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--wait"):
        seconds(text, "--wait")
