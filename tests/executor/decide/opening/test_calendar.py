"""Windows, freezes and time zones."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.executor.decide.opening.calendar import instance_window, opening
from orchestrator.model.plan.plan import Freeze, Window

SHANGHAI, BERLIN = "Asia/Shanghai", "Europe/Berlin"
EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)


def window(opens: str, closes: str, zone: str = "UTC", days: tuple[int, ...] = EVERY_DAY) -> Window:
    def minutes(text: str) -> int:
        return int(text[:2]) * 60 + int(text[3:])

    return Window(days=days, opens=minutes(opens), closes=minutes(closes), timezone=zone)


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def test_without_windows_it_is_always_open() -> None:
    assert opening((), (), at("2026-03-01 00:00")).open


@pytest.mark.parametrize(
    ("now", "is_open", "until"),
    [
        ("2026-03-01 21:59:59", False, "2026-03-01 22:00"),
        ("2026-03-01 22:00", True, "2026-03-02 05:00"),
        ("2026-03-02 04:59:59", True, "2026-03-02 05:00"),
        ("2026-03-02 05:00", False, "2026-03-02 22:00"),
    ],
)
def test_a_window_across_midnight(now: Any, is_open: bool, until: Any) -> None:
    state = opening((window("22:00", "05:00"),), (), at(now))
    assert (state.open, state.until) == (is_open, at(until))


def test_days_name_the_day_on_which_it_opens() -> None:
    saturday = (window("22:00", "05:00", SHANGHAI, days=(5,)),)
    assert opening(saturday, (), at("2026-03-01 03:00", SHANGHAI)).open
    assert not opening(saturday, (), at("2026-03-01 23:00", SHANGHAI)).open
    assert opening(saturday, (), at("2026-03-01 06:00", SHANGHAI)).until == at("2026-03-07 22:00", SHANGHAI)


def test_the_same_from_and_to_is_a_whole_day() -> None:
    whole = (window("08:00", "08:00", days=(0,)),)
    assert opening(whole, (), at("2026-03-02 08:00")).until == at("2026-03-03 08:00")


def test_windows_that_touch_or_overlap_are_one() -> None:
    windows = (window("20:00", "22:00"), window("22:00", "23:00"), window("21:00", "22:30"))
    assert opening(windows, (), at("2026-03-01 20:30")).until == at("2026-03-01 23:00")


def test_windows_that_cover_everything_never_close() -> None:
    assert opening((window("00:00", "00:00"),), (), at("2026-03-01 20:30")).until is None


def test_a_freeze_closes_and_includes_both_days() -> None:
    freezes = (Freeze(start="2026-12-20", end="2027-01-04", timezone=SHANGHAI),)
    state = opening((), freezes, at("2026-12-25 00:00"))
    assert (state.open, state.until) == (False, at("2027-01-05 00:00", SHANGHAI))
    assert opening((), freezes, at("2027-01-05 00:00", SHANGHAI)).open
    assert opening((), freezes, at("2026-12-19 23:59", SHANGHAI)).until == at("2026-12-20 00:00", SHANGHAI)


def test_a_window_opens_after_the_freeze_that_covers_it() -> None:
    freezes = (
        Freeze(start="2026-03-01", end="2026-03-03", timezone="UTC"),
        Freeze(start="2026-03-04", end="2026-03-04", timezone="UTC"),
    )
    state = opening((window("22:00", "23:00"),), freezes, at("2026-03-01 12:00"))
    assert state.until == at("2026-03-05 22:00")


def test_a_freeze_ends_in_an_open_window() -> None:
    freezes = (Freeze(start="2026-03-01", end="2026-03-01", timezone="UTC"),)
    state = opening((window("22:00", "05:00"),), freezes, at("2026-03-01 23:00"))
    assert state.until == at("2026-03-02 00:00")


# Berlin skips 02:00 to 03:00 on 2026-03-29 and lives 02:00 to 03:00 twice on 2026-10-25.


def test_a_time_that_summer_time_skips_is_the_moment_of_the_change() -> None:
    opens_in_gap = (window("02:30", "05:00", BERLIN),)
    assert opening(opens_in_gap, (), at("2026-03-29 00:30")).until == at("2026-03-29 01:00")
    assert opening(opens_in_gap, (), at("2026-03-29 01:00")).open
    closes_in_gap = (window("01:00", "02:30", BERLIN),)
    assert opening(closes_in_gap, (), at("2026-03-29 00:30")).until == at("2026-03-29 01:00")


def test_a_time_that_comes_twice_is_its_first_coming() -> None:
    opens_twice = (window("02:30", "05:00", BERLIN),)
    assert opening(opens_twice, (), at("2026-10-25 00:00")).until == at("2026-10-25 00:30")
    assert opening(opens_twice, (), at("2026-10-25 00:30")).until == at("2026-10-25 04:00")


@settings(deadline=None)
@given(
    now=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # wall times
    zone=st.sampled_from(["UTC", SHANGHAI, BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    opens=st.integers(0, 1439),
    closes=st.integers(0, 1439),
    days=st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
)
def test_what_is_said_of_an_instant_holds_until_it_is_said_to_end(
    now: Any, zone: str, opens: int, closes: int, days: Any
) -> None:
    windows = (Window(days=days, opens=opens, closes=closes, timezone=zone),)
    state = opening(windows, (), now)
    if state.until is None:
        assert state.open
        return
    assert state.until > now
    just_before = max(now, state.until - timedelta(seconds=1))
    assert opening(windows, (), just_before).open == state.open
    assert opening(windows, (), state.until).open != state.open
    if state.open and not _near_a_change(zone, now):
        assert _local_says_open(windows[0], now)


def _near_a_change(zone: str, now: datetime) -> bool:
    place = ZoneInfo(zone)
    day = timedelta(days=1)
    return (now - day).astimezone(place).utcoffset() != (now + day).astimezone(place).utcoffset()


def _local_says_open(window: Window, now: datetime) -> bool:
    local = now.astimezone(ZoneInfo(window.timezone))
    for day in (local.date(), local.date() - timedelta(days=1)):
        if day.weekday() not in window.days:
            continue
        begins = _minute(day, window.opens)
        ends = _minute(day if window.closes > window.opens else day + timedelta(days=1), window.closes)
        if begins <= local.replace(tzinfo=None) < ends:
            return True
    return False


def _minute(day: date, minutes: int) -> datetime:
    return datetime.combine(day, time(minutes // 60, minutes % 60))


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("18:00-22:00", (1080, 1320)), (" 22:00 - 02:00 ", (1320, 120)), ("00:00-24:00", (0, 0))],
)
def test_an_instances_own_window(text: Any, minutes: Any) -> None:
    (found,) = instance_window(text)
    assert (found.opens, found.closes, found.timezone) == (*minutes, "UTC")


@pytest.mark.parametrize("text", [None, "", "always", "18:00", "25:00-26:00", "18-22", "1:2:3-4:5:6"])
def test_a_window_that_cannot_be_read_is_none(text: Any) -> None:
    assert instance_window(text) == ()


def test_the_words_say_when_it_opens_there() -> None:
    state = opening((window("22:00", "23:00", SHANGHAI, days=(5,)),), (), at("2026-03-02 00:00"))
    assert state.why == "window opens Sat 2026-03-07 22:00 Asia/Shanghai"
