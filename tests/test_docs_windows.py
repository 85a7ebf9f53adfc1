"""docs/windows.md and docs/forecast.md say what the program does: instants, words, numbers, fields."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes.documents import ROOT, blocks, first_words, read, rows, section, spans
from fakes.stage import Stage, fold_all, plan_of, targets_of

from orchestrator.app.status.outlook import look
from orchestrator.app.status.what_next.last_line import fleet_line
from orchestrator.executor.decide.opening.calendar import opening
from orchestrator.forecast import change
from orchestrator.forecast.binding import SLOW
from orchestrator.forecast.forecast import _FEWEST, _MOST, rehearse
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Freeze, Plan, Window
from orchestrator.model.record.record import WaveOpened
from orchestrator.planner.plan_file.load import load_plan
from orchestrator.planner.preview.forecast_text import rehearsed_lines
from orchestrator.planner.preview.forecast_values import Rehearsed
from orchestrator.planner.targets.resolve import resolve_targets

WINDOWS, FORECAST = read("docs/windows.md"), read("docs/forecast.md")
SHANGHAI = "Asia/Shanghai"
OPENED = WaveOpened(at=datetime(2026, 3, 1, tzinfo=UTC), wave="canary")
NIGHTS = Window(days=(5, 6), opens=22 * 60, closes=5 * 60, timezone=SHANGHAI)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# --- windows ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", list(rows(section(WINDOWS, "Windows"))), ids=lambda row: row[0][:10])
def test_the_hours_of_a_changing_clock(row: list[str]) -> None:
    day, hours, told = row
    opens, closes = (60 * int(hour) + int(minute) for hour, minute in re.findall(r"(\d\d):(\d\d)", hours))
    window = Window(opens=opens, closes=closes, timezone="Europe/Berlin")
    first = at(f"{day[:10]} {re.findall(r'from (..:..) UTC', told)[0]}")
    assert opening((window,), (), first - timedelta(seconds=61)).until == first
    length = re.findall(r"(\d+) hours(?: (\d+) minutes)?", told)[0]
    lasts = timedelta(hours=int(length[0]), minutes=int(length[1] or 0))
    assert opening((window,), (), first).until == first + lasts


@pytest.mark.parametrize(
    ("now", "changes"),
    [
        ("2026-03-07 10:48", {"windows": (NIGHTS,)}),
        (
            "2026-12-20 16:48",
            {
                "windows": (Window(opens=22 * 60, closes=300, timezone=SHANGHAI),),
                "freezes": (Freeze(start="2026-12-20", end="2027-01-04", timezone=SHANGHAI),),
            },
        ),
        ("2026-03-07 20:55", {"windows": (NIGHTS,)}),
    ],
)
def test_the_words_of_status(now: str, changes: Any) -> None:
    plan = plan_of(targets_of(412), **changes)
    told = fleet_line(look(plan, fold_all(plan, (OPENED,)), (), at(now), working=False), "plans/prod.yaml")
    block = blocks(section(WINDOWS, "Why is nothing happening?"), "text")[0].text
    assert f"{told}\n" in block


def test_the_words_of_a_run_that_came_too_early() -> None:
    plan = plan_of(targets_of(3), windows=(NIGHTS,))
    played = Stage(plan=plan, start=at("2026-03-07 10:48"), wait_s=0.0).play()
    line = blocks(section(WINDOWS, "A run over many nights"), "console")[0].text.splitlines()[1]
    assert line == f"why: {played.finish.why}"


@pytest.mark.parametrize(("expected_s", "told"), [(600.0, "04:50"), (1500.0, "04:35")])
def test_the_last_start_that_fits(expected_s: float, told: str) -> None:
    assert told in section(WINDOWS, "Fit")
    closes = at("2026-03-08 05:00") - timedelta(seconds=expected_s)
    assert f"{closes:%H:%M}" == told


# --- the forecast -----------------------------------------------------------------------------------------------------


def example() -> Plan:
    nightly = Window(opens=22 * 60, closes=5 * 60, timezone=SHANGHAI)
    return plan_of(targets_of(300), windows=(nightly,))


def test_the_example_is_what_the_program_says() -> None:
    plan = example()
    told = rehearse(plan, plan.proxies, start=at("2026-03-02 22:03"))
    assert "\n".join(rehearsed_lines(told)) + "\n" == blocks(FORECAST, "text")[0].text


def test_every_field_is_told() -> None:
    assert first_words(section(FORECAST, "As JSON")) == list(Rehearsed.__struct_fields__)


def test_every_limit_is_told() -> None:
    told = " ".join(first_words(section(FORECAST, "What holds it up")))
    assert all(name in told for name in SLOW)


def test_the_numbers_are_those_of_the_program() -> None:
    assert f"up to {_MOST} times" in section(FORECAST, "The interval")
    assert f"large ones {_FEWEST} times" in section(FORECAST, "The interval")
    assert f"up to {change._MOST_TRIALS} changes" in " ".join(section(FORECAST, "What holds it up").split())
    assert f"up to {change._FACTORS[-1]:g} times as much" in section(FORECAST, "What holds it up")
    assert {"ramp", "in_flight", "concurrency", "rate", "failures.max"} <= set(
        spans(section(FORECAST, "What holds it up"))
    )


# --- the plan for three regions ---------------------------------------------------------------------------------------


def test_the_plan_for_three_regions_takes_the_nights_that_it_says() -> None:
    plan = load_plan(Path(ROOT / "plans/multi-region-night.yaml"))
    targets = resolve_targets(plan).targets
    told = rehearse(plan, targets, start=at("2026-03-02 08:00"))
    assert told.unfinished is None
    assert (told.timezone, told.approves) == (SHANGHAI, ("gold",))
    assert [wave.name for wave in told.waves] == ["canary", "bronze", "silver", "gold"]
    assert told.nights is not None
    assert 3 <= told.nights.p50 <= 5
    assert {target.scope for target in targets} == {"bj4", "sg3", "sh1"}
    assert plan.limits.in_flight == Amount(8)
