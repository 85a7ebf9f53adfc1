"""The duration and the calls that `plan` says are those of `plan --forecast`, or bounds that say that they are."""

import json
from pathlib import Path
from typing import Any

from fakes.e2e import Desk, sim_targets
from fakes.here import DeskHere


def _said(desk: Desk, *options: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(desk.cli("plan", "PLAN", "--offline", "--format", "json", *options).stdout)
    return said


def test_plan_says_what_a_typical_rehearsal_takes(tmp_path: Path) -> None:
    desk = DeskHere(tmp_path, targets=sim_targets(20))
    desk.write()
    quick, whole = _said(desk), _said(desk, "--forecast")
    forecast = whole["forecast"]
    assert quick["rehearsed"]
    told = (forecast["duration_s"]["p50"], forecast["limited_by"], round(forecast["calls"]["p50"]))
    assert forecast["duration_s"]["p5"] <= told[0] <= forecast["duration_s"]["p95"]
    for said in (quick, whole):
        assert (said["duration_s"], said["limited_by"], said["calls"]["all"]) == told
    assert quick["waves"] == whole["waves"]
    spans = [(each["starts_s"]["p50"], each["ends_s"]["p50"], each["limited_by"]) for each in forecast["waves"]]
    assert [(wave["duration_s"], wave["limited_by"]) for wave in quick["waves"]] == [(b - a, by) for a, b, by in spans]
    assert sum(wave["duration_s"] for wave in quick["waves"]) <= quick["duration_s"]


def test_windows_are_counted_and_that_is_said(tmp_path: Path) -> None:
    desk = DeskHere(tmp_path, targets=sim_targets(3))
    counted = "; counted from now, windows and freezes included, see --forecast"
    for windows in ({}, {"windows": [{"from": "22:00", "to": "05:00", "timezone": "UTC"}]}):
        desk.write(**windows)
        assert (counted in desk.cli("plan", "PLAN", "--offline").stdout) == bool(windows)


def test_of_a_large_fleet_plan_says_how_long_it_takes_at_least(tmp_path: Path) -> None:
    desk = DeskHere(tmp_path, targets=sim_targets(201))
    desk.write()
    said = _said(desk)
    assert not said["rehearsed"]
    text = desk.cli("plan", "PLAN", "--offline").stdout
    assert "expected duration: at least " in text
    assert all(", at least " in line for line in text.splitlines() if line.startswith("wave "))
    assert " about " not in text.partition("calls: ")[0]
