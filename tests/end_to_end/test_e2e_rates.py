"""`rate: auto` from the command line, against a gateway that refuses what is too much."""

import json
import re

import pytest
from fakes.e2e import NewCloud, expect_truth

from orchestrator.simulator.profile import Limit

pytestmark = pytest.mark.slow


def test_the_rate_is_found_stated_kept_and_used_again(new_cloud: NewCloud) -> None:
    desk = new_cloud(6, limits=(Limit(calls=5),))
    desk.write(limits={"rate": "auto"})

    before = desk.cli("plan", "PLAN", "--offline").stdout
    assert "rate: auto, not found out yet; assumed to be 2/s" in before

    ended = desk.run()
    assert ended.code == 0, ended.stderr
    report = expect_truth(desk)
    scope = report["scopes"][0]
    assert 1 < scope["rate_limit"] <= 5.5
    assert 0 < scope["rate_attained"] <= 5
    assert scope["throttled"] == sum(desk.books()["throttled"].values()) == report["totals"]["throttled"]

    known = next(iter(json.loads((desk.state / "rates.json").read_text())["rates"].values()))
    assert known["endpoint"] == desk.url
    assert known["rate"] == pytest.approx(scope["rate_limit"], rel=0.05)

    after = desk.cli("plan", "PLAN", "--offline", "--forecast", "--format", "json").stdout
    assert json.loads(after)["rates"] == [{"scopes": ["default"], "rate": known["rate"], "found_at": known["at"]}]
    assert re.search(r"rate: auto, assumed to be \d[.\d]*/s, as found until", desk.cli("plan", "PLAN").stdout)

    assert desk.run().code == 0, "all are up to date by now"
    assert desk.report["scopes"][0]["rate_limit"] == pytest.approx(known["rate"], rel=0.05), "not from the start again"


def test_a_damaged_memory_is_logged_and_begun_anew(new_cloud: NewCloud) -> None:
    desk = new_cloud(1)
    desk.write(limits={"rate": "auto"})
    desk.state.mkdir(mode=0o700)
    (desk.state / "rates.json").write_text("{")
    ended = desk.run()
    assert ended.code == 0
    forgotten = next(line for line in ended.logs if line["event"] == "rates.forgotten")
    assert "rates.json" in forgotten["why"]
    assert json.loads((desk.state / "rates.json").read_text())["rates"]


def test_a_simulated_run_learns_for_itself_only(new_cloud: NewCloud) -> None:
    desk = new_cloud(2)
    desk.write(limits={"rate": "auto"})
    assert desk.run("--simulate", "--faults", "none", "--speed", "1000").code == 0
    assert not list(desk.state.rglob("rates.json"))
