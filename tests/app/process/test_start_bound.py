import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.app.process.start_bound import longest_s, seconds, spoken_bound, start_bound
from orchestrator.errors import UsageError

NOW = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def host_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Puts the host into a time zone: UTC, until a test says otherwise."""

    def move(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    move("UTC")
    yield move
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        ("23:00", datetime(2026, 3, 1, 23, 0, tzinfo=UTC)),
        ("22:30", datetime(2026, 3, 2, 22, 30, tzinfo=UTC)),
        ("05:00", datetime(2026, 3, 2, 5, 0, tzinfo=UTC)),
        ("2026-03-02T05:00:00Z", datetime(2026, 3, 2, 5, 0, tzinfo=UTC)),
        ("2026-03-02T09:00:00+08:00", datetime(2026, 3, 2, 1, 0, tzinfo=UTC)),
    ],
)
def test_until_is_the_next_such_time_or_the_instant(until: str, expected: datetime) -> None:
    assert start_bound(until, NOW) == expected


@pytest.mark.parametrize(
    ("host", "until", "expected"),
    [
        ("Asia/Shanghai", "07:00", datetime(2026, 3, 1, 23, 0, tzinfo=UTC)),
        ("Asia/Shanghai", "05:00", datetime(2026, 3, 2, 21, 0, tzinfo=UTC)),
        ("America/New_York", "05:00", datetime(2026, 3, 2, 10, 0, tzinfo=UTC)),
        ("America/New_York", "05:00 Asia/Shanghai", datetime(2026, 3, 2, 21, 0, tzinfo=UTC)),
        ("Asia/Shanghai", "05:00 UTC", datetime(2026, 3, 2, 5, 0, tzinfo=UTC)),
    ],
)
def test_until_is_in_the_hosts_time_unless_a_zone_is_given(
    host_in: Callable[[str], None], host: str, until: str, expected: datetime
) -> None:
    host_in(host)
    assert start_bound(until, NOW) == expected


@pytest.mark.parametrize("minute", [0, 45])
def test_a_time_that_summer_time_leaves_out_is_later_by_the_hosts_clock_too(
    host_in: Callable[[str], None], minute: int
) -> None:
    host_in("Europe/Berlin")
    now, later = datetime(2026, 3, 29, 0, minute, tzinfo=UTC), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert start_bound("02:30", now) == start_bound("02:30 Europe/Berlin", now) == later


@pytest.mark.parametrize(
    ("until", "now", "said"),
    [
        # 02:30 is left out on that day: it is an hour later.
        (
            "02:30 Europe/Berlin",
            datetime(2026, 3, 29, 0, 0, tzinfo=UTC),
            "2026-03-29 03:30 CEST on (2026-03-29 01:30 UTC)",
        ),
        # 02:30 is there twice: the first of them.
        (
            "02:30 Europe/Berlin",
            datetime(2026, 10, 24, 23, 0, tzinfo=UTC),
            "2026-10-25 02:30 CEST on (2026-10-25 00:30 UTC)",
        ),
        ("2026-03-03T05:00:00Z", NOW, "2026-03-03 05:00 UTC on"),
        ("05:00 Asia/Shanghai", NOW, "2026-03-03 05:00 CST on (2026-03-02 21:00 UTC)"),
    ],
)
def test_the_instant_is_said_in_its_zone_and_in_utc_and_once_where_these_are_one(
    until: str, now: datetime, said: str
) -> None:
    bound = start_bound(until, now)
    assert bound is not None
    assert spoken_bound(bound) == f"nothing starts from {said}"


@pytest.mark.parametrize(
    "until", ["05:00 Mars/Olympus", "05:00 ../etc/passwd", "05:00 ", "24:00", "7:00", "noon", "2026-03-02T05:00:00", ""]
)
def test_until_that_cannot_be_read_is_refused(until: str) -> None:
    with pytest.raises(UsageError, match="--until"):
        start_bound(until, NOW)


@pytest.mark.parametrize(
    ("until", "told"),
    [
        ("\uff12\uff12:00", "got '\uff12\uff12:00'; it has characters that only look like \"22:00\""),
        ("2026-03-02", "has no offset; write 2026-03-02T00:00:00Z, or another offset"),
    ],
)
def test_what_is_nearly_right_is_told_with_the_right_form(until: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        start_bound(until, NOW)
    assert told in str(caught.value)
    assert start_bound("2026-03-02T00:00:00Z", NOW)


@pytest.mark.parametrize("until", ["2020-01-01T00:00:00Z", "2026-03-01T22:30:00Z", "2026-03-02T05:00:00+08:00"])
def test_an_instant_that_has_passed_is_refused_for_nothing_would_ever_start(until: str) -> None:
    with pytest.raises(UsageError, match=r"has passed, so nothing would start; it is 2026-03-01T23:00:00Z now"):
        start_bound(until, NOW + timedelta(minutes=30))


def test_a_session_without_any_time_is_refused() -> None:
    with pytest.raises(UsageError, match="--max-duration: 0s leaves no time"):
        longest_s("0s")


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
