"""What the calendar kept closed during a run, as the page draws it."""

from datetime import UTC, datetime, timedelta

from fakes.recorded import BEGIN, make_plan, make_targets
from msgspec.structs import replace

from orchestrator.app.report.full_story import closed_times
from orchestrator.model.plan.plan import Freeze, Window

PLAN = make_plan(make_targets(1))
EVENINGS = replace(PLAN, windows=(Window(opens=20 * 60, closes=23 * 60, timezone="UTC"),))


def day(number: int, hour: int) -> datetime:
    return datetime(2026, 3, number, hour, tzinfo=UTC)


def test_windows_are_closed_between_their_hours() -> None:
    found = [(each.kind, each.begin, each.end) for each in closed_times(EVENINGS, BEGIN, BEGIN + timedelta(days=2))]
    assert found == [
        ("window closed", day(1, 23), day(2, 20)),
        ("window closed", day(2, 23), day(3, 20)),
    ]


def test_a_freeze_is_told_from_a_window_and_may_hide_it() -> None:
    frozen = replace(EVENINGS, freezes=(Freeze(start="2026-03-02", end="2026-03-02", timezone="UTC"),))
    found = [(each.kind, each.begin) for each in closed_times(frozen, day(2, 1), day(3, 1))]
    assert found == [("frozen", day(2, 1))]


def test_nothing_is_closed_without_a_calendar() -> None:
    assert list(closed_times(PLAN, BEGIN, BEGIN + timedelta(days=400))) == []
    own = replace(PLAN, windows="instance")
    assert list(closed_times(own, BEGIN, BEGIN + timedelta(days=9))) == []
