"""What `status` says when nothing may start: which window opens when, by the clock of its place."""

from datetime import UTC, datetime
from typing import Any

import pytest
from fakes.clock import START
from fakes.stage import fold_all, plan_of, targets_of
from msgspec.structs import replace

from orchestrator.app.status.outlook import look
from orchestrator.executor.decide.waits import Cause, time_until
from orchestrator.model.plan.plan import Freeze, Plan, Wave, Window
from orchestrator.model.plan.target import Facts
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import Settled, WaveOpened
from orchestrator.model.run.run import Run

SHANGHAI = "Asia/Shanghai"
NIGHT = Window(days=(5, 6), opens=22 * 60, closes=5 * 60, timezone=SHANGHAI)
SATURDAY = "2026-03-07 10:48"  # in UTC, when Shanghai shows 18:48


def said(at: str, **changes: Any) -> str | None:
    plan = plan_of(targets_of(3), **changes)
    run = fold_all(plan, (WaveOpened(at=START, wave="canary"),))
    return said_of(plan, run, datetime.fromisoformat(at).replace(tzinfo=UTC))


def said_of(plan: Plan, run: Run, now: datetime) -> str | None:
    seen = look(plan, run, (), now, working=False)
    wait = seen.fleet()
    return wait.seen_at(now) if wait.cause in (Cause.WINDOW, Cause.FREEZE, Cause.FIT) else None


@pytest.mark.parametrize(
    ("at", "says"),
    [
        (SATURDAY, "window opens Sat 22:00 Asia/Shanghai, in 3 h 12 min"),
        ("2026-03-07 14:00", None),
        (
            "2026-03-07 20:55",
            (
                "too late for an upgrade to end before the window closes at Sun 05:00 Asia/Shanghai; "
                "window opens Sun 22:00 Asia/Shanghai, in 17 h 05 min"
            ),
        ),
        ("2026-03-01 23:00", "window opens Sat 22:00 Asia/Shanghai, in 5 d 15 h"),
    ],
)
def test_the_next_opening_is_named_by_its_own_clock(at: str, says: str | None) -> None:
    assert said(at, windows=(NIGHT,)) == says


def test_a_day_that_is_far_away_has_its_date() -> None:
    monthly = replace(NIGHT, days=(6,))
    assert said("2026-03-01 22:00", windows=(monthly,)) == (
        "window opens Sun 2026-03-08 22:00 Asia/Shanghai, in 6 d 16 h"
    )


def test_of_several_windows_the_one_that_opens_gives_the_time_zone() -> None:
    other = Window(opens=60, closes=120, timezone="Europe/Berlin")
    assert said(SATURDAY, windows=(other, NIGHT)) == "window opens Sat 22:00 Asia/Shanghai, in 3 h 12 min"
    assert said("2026-03-06 23:30", windows=(NIGHT, other)) == "window opens Sat 01:00 Europe/Berlin, in 30 min"


def test_a_freeze_is_named() -> None:
    frozen = (Freeze(start="2026-03-06", end="2026-03-07", timezone=SHANGHAI),)
    assert said(SATURDAY, freezes=frozen) == "frozen; the freeze ends Sun 00:00 Asia/Shanghai, in 5 h 12 min"
    assert said(SATURDAY, freezes=frozen, windows=(NIGHT,)) == (
        "frozen; window opens Sun 00:00 Asia/Shanghai, in 5 h 12 min"
    )


def test_of_the_instances_own_windows_the_first_is_named() -> None:
    own = ("18:00-22:00", "12:00-14:00", "01:00-05:00")
    targets = [
        replace(target, facts=Facts(maintenance_window=text)) for target, text in zip(targets_of(3), own, strict=True)
    ]
    plan = plan_of(targets, windows="instance", waves=(Wave(name="all"),))
    now = datetime.fromisoformat(SATURDAY).replace(tzinfo=UTC)
    opened = WaveOpened(at=now, wave="all")
    assert said_of(plan, fold_all(plan, (opened,)), now) == "window opens Sat 12:00 UTC, in 1 h 12 min"
    settled = Settled(at=now, target=targets[1].proxy_id, outcome=Outcome.ALREADY)
    assert said_of(plan, fold_all(plan, (opened, settled)), now) == "window opens Sat 18:00 UTC, in 7 h 12 min"
    assert said_of(plan, fold_all(plan, (opened,)), now.replace(hour=13)) is None


def test_lengths_are_spoken() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    assert time_until(now.replace(hour=3, minute=12), now) == "3 h 12 min"
    assert time_until(now.replace(second=40), now) == "40 s"
