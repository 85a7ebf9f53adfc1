"""Windows, freezes and the forecast from the command line: what is closed now, what is open, and what is said of it."""

import json
import re
from pathlib import Path

import pytest
from fakes.documents import ROOT
from fakes.e2e import Desk, NewCloud, expect_truth
from fakes.hours import freeze, window
from fakes.stepping_clock import SteppingClock


def test_a_window_that_is_closed_now_ends_the_run_with_five_and_the_instant(new_cloud: NewCloud) -> None:
    desk = new_cloud(3)
    desk.write(windows=[window(opens_in_h=5.0)])
    for _ in range(2):
        ended = desk.run("--quiet")
        assert (ended.code, ended.stdout) == (5, "")
    ended = desk.run()
    assert ended.code == 5
    assert "why: window opens" in ended.stdout
    assert "next possible start" in ended.stdout
    assert expect_truth(desk)["totals"]["outcomes"] == {"waiting": 3}
    assert not desk.books()["upgrade_calls"]


def test_status_says_which_window_opens_when(new_cloud: NewCloud) -> None:
    desk, nightly = new_cloud(3), window(opens_in_h=5.0)
    desk.write(windows=[nightly])
    desk.run()
    told = desk.cli("status", "PLAN").stdout.splitlines()[-1]
    found = re.fullmatch(r"waits for: window opens \w{3} (\S+) UTC, in (\d) h (\d\d) min; 3 targets wait; do: .*", told)
    assert found is not None, told
    assert found[1] == nightly["from"]
    assert 295 <= 60 * int(found[2]) + int(found[3]) <= 300


def test_a_window_that_is_open_now_lets_upgrades_start(new_cloud: NewCloud) -> None:
    desk = new_cloud(3)
    desk.write(windows=[window(opens_in_h=9.0), window(opens_in_h=-2.0, hours=6.0)])
    assert desk.run().code == 0
    assert expect_truth(desk)["totals"]["outcomes"] == {"succeeded": 3}


def test_a_freeze_closes_an_open_window_and_thawing_it_for_a_session_goes_on(new_cloud: NewCloud) -> None:
    desk = new_cloud(3)
    desk.write(windows=[window(opens_in_h=-2.0, hours=6.0)], freezes=[freeze()])
    ended = desk.run()
    assert ended.code == 5
    assert "frozen" in ended.stdout
    assert "waits for: frozen; " in desk.cli("status", "PLAN").stdout
    assert desk.run("--set", "freezes=[]").code == 0
    assert expect_truth(desk)["totals"]["outcomes"] == {"succeeded": 3}


def test_an_upgrade_that_would_not_end_in_time_does_not_start(new_cloud: NewCloud) -> None:
    desk = new_cloud(2)
    closing = window(opens_in_h=-2.0, hours=3.0)
    desk.write(windows=[closing], follow={"expected": "2h", "timeout": "3h"})
    ended = desk.run()
    assert ended.code == 5
    assert "too late to end before" in ended.stdout
    assert "too late for an upgrade to end before the window closes" in desk.cli("status", "PLAN").stdout
    assert desk.run("--set", "fit=false", "--set", "follow.expected=250ms").code == 0


def test_a_written_out_target_has_no_window_of_its_own(desk: Desk) -> None:
    desk.write(windows="instance")
    for verb in (("run", "PLAN"), ("plan", "PLAN", "--offline")):
        ended = desk.cli(*verb)
        assert ended.code == 2
        assert "windows: no maintenance window is known of proxy " in ended.stderr
        assert "discover" in ended.messages[-1]


def test_discovered_targets_bring_their_own_windows(new_cloud: NewCloud) -> None:
    desk = new_cloud(3)
    desk.write(windows="instance", fit="false", proxies=None, discover=[{"instances": {}}])
    ended = desk.run("--wait", "0s")
    targets = [json.loads(line) for line in (desk.run_folder / "targets.ndjson").read_text().splitlines()[:3]]
    assert ended.code in (0, 5), "as it is by the hour of the day"
    assert "maintenance_window" in json.dumps(targets)
    expect_truth(desk)


@pytest.mark.parametrize("verb", [("plan", "PLAN"), ("run", "PLAN", "--dry-run")])
def test_a_forecast_is_told_where_it_is_asked_for(desk: Desk, verb: tuple[str, ...]) -> None:
    desk.write(windows=[window(opens_in_h=2.0, hours=4.0)])
    assert "forecast:" not in desk.cli(*verb, "--offline").stdout
    ended = desk.cli(*verb, "--offline", "--forecast")
    assert ended.code == 0
    assert "forecast: " in ended.stdout
    assert "limited by the window until " in ended.stdout
    assert not desk.state.exists()


def test_the_forecast_is_part_of_the_json_and_learns_from_the_runs_before(new_cloud: NewCloud) -> None:
    desk = new_cloud(4)
    plain = json.loads(desk.cli("plan", "PLAN", "--format", "json").stdout)
    assert plain["forecast"] is None
    first = json.loads(desk.cli("plan", "PLAN", "--forecast", "--format", "json").stdout)["forecast"]
    assert (first["learned_from"], first["typical_s"]) == (0, 0.25)
    assert [wave["name"] for wave in first["waves"]] == ["canary", "rest"]
    assert desk.run().code == 0
    second = json.loads(desk.cli("plan", "PLAN", "--forecast", "--format", "json", "--offline").stdout)["forecast"]
    assert second["learned_from"] == 4
    done = json.loads(desk.cli("plan", "PLAN", "--forecast", "--format", "json").stdout)["forecast"]
    assert done["waves"][0]["starts_at"] is None
    assert (done["unfinished"], done["peak_in_flight"]) == (None, 0)


@pytest.mark.parametrize(("hours", "starts"), [(5.5, 0), (-5.5, 3)])
def test_the_preview_judges_by_the_clock_that_the_run_will_use(
    new_cloud: NewCloud, tmp_path: Path, hours: float, starts: int
) -> None:
    """By the clock of the host it is the other way round; without a network it goes by what the last session saw."""
    folder = tmp_path / "clock"
    folder.mkdir()
    clock = SteppingClock(folder, ROOT)
    clock.step(hours * 3600)
    desk = new_cloud(3)
    desk.environ |= clock.environ
    desk.write(windows=[window(opens_in_h=5.0 if starts == 0 else -2.0, hours=3.0)])
    wrong = rf"this host's clock is \d+ s {'ahead of' if hours > 0 else 'behind'} the cloud's"
    online = json.loads(desk.cli("plan", "PLAN", "--format", "json").stdout)
    assert desk.run().code == (0 if starts else 5)
    offline = json.loads(desk.cli("plan", "PLAN", "--offline", "--format", "json", "--forecast").stdout)
    assert online["starts"] == len(desk.books()["upgrade_calls"]) == offline["starts"] == starts
    assert re.match(f"{wrong}: windows, freezes and --until", online["warnings"][0])
    assert re.match(f"{wrong}, as the latest run recorded it: windows", offline["warnings"][0])
