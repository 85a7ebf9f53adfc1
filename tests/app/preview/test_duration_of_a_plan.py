"""The duration and the calls that `plan` says are those of `plan --forecast`, or bounds that say that they are."""

import json
from pathlib import Path
from typing import Any

import pytest
from fakes.e2e import Desk, sim_targets
from fakes.here import DeskHere


def _said(desk: Desk, *options: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(desk.cli("plan", "PLAN", "--offline", "--format", "json", *options).stdout)
    return said


@pytest.mark.parametrize(
    "windows", [None, [{"from": "22:00", "to": "05:00", "timezone": "UTC"}]], ids=["open", "windows"]
)
def test_plan_says_what_a_typical_rehearsal_takes(tmp_path: Path, windows: Any) -> None:
    desk = DeskHere(tmp_path, targets=sim_targets(20))
    desk.write(**({} if windows is None else {"windows": windows}))
    quick, whole = _said(desk), _said(desk, "--forecast")
    forecast = whole["forecast"]
    assert quick["rehearsed"]
    assert forecast["duration_s"]["p5"] - 60 <= quick["duration_s"] <= forecast["duration_s"]["p95"] + 60
    assert forecast["calls"]["p5"] <= quick["calls"]["all"] <= forecast["calls"]["p95"]
    assert (whole["duration_s"], whole["calls"]["all"]) == (
        forecast["duration_s"]["p50"],
        round(forecast["calls"]["p50"]),
    )
    counted = "; started now, windows and freezes counted, see --forecast"
    assert (counted in desk.cli("plan", "PLAN", "--offline").stdout) == (windows is not None)


def test_of_a_large_fleet_plan_says_how_long_it_takes_at_least(tmp_path: Path) -> None:
    desk = DeskHere(tmp_path, targets=sim_targets(201))
    desk.write()
    said = _said(desk)
    assert not said["rehearsed"]
    assert "expected duration: at least " in desk.cli("plan", "PLAN", "--offline").stdout
