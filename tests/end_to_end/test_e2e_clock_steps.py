"""The host's clock is set while a process works, or between two: no timer ends early, and nothing is sent twice."""

import signal
from pathlib import Path

import pytest
from auditor.audit import audit
from fakes.documents import ROOT
from fakes.e2e import Desk, NewCloud, sim_targets
from fakes.stepping_clock import SteppingClock

from orchestrator.model.plan.order import order_key
from orchestrator.simulator.profile import JobFate, ScriptedFate, ScriptedFault

_HOUR = 3600.0
_CANARY, _LOST = sorted((each.proxy_id for each in sim_targets(2)), key=lambda proxy_id: order_key("prod", proxy_id))


@pytest.fixture
def clock(tmp_path: Path) -> SteppingClock:
    folder = tmp_path / "clock"
    folder.mkdir()
    return SteppingClock(folder, ROOT)


@pytest.fixture
def desk(new_cloud: NewCloud) -> Desk:
    """The answer of the second upgrade is lost, and no list ever shows its job, which runs on. A doubt lasts 15 min."""
    fate = ScriptedFate(proxy_id=_LOST, fate=JobFate(end="hangs", seen="not_listed"))
    desk = new_cloud(2, faults=[ScriptedFault(call="upgrade", fault="lost_answer", nth=2)], fates=[fate])
    desk.write(retry={"resend_after": "15m"}, follow={"timeout": "1h"})
    return desk


def _looks(desk: Desk) -> int:
    return int(desk.books()["calls"]["immediate_jobs"])


def _looked_again(desk: Desk, times: int = 3) -> None:
    before = _looks(desk)
    desk.until(lambda: _looks(desk) >= before + times)


def _expect_sent_once(desk: Desk) -> None:
    assert sorted(call["proxy_id"] for call in desk.books()["upgrade_calls"]) == sorted([_CANARY, _LOST])
    assert [record for record in desk.records() if record["record"] == "attempt_disproved"] == []


@pytest.mark.parametrize("seconds", [_HOUR, 48 * _HOUR, -2 * _HOUR])
def test_a_step_of_the_clock_ends_no_doubt_and_stops_no_look(desk: Desk, clock: SteppingClock, seconds: float) -> None:
    running = desk.start("run", "PLAN", environ=clock.environ)
    desk.until_recorded("doubt_looked")
    clock.step(seconds)
    _looked_again(desk)
    desk.until_recorded("clock_stepped")
    _expect_sent_once(desk)
    running.signal()
    assert running.end().code == 5
    assert audit(desk.run_folder) == []


def test_a_clock_that_was_set_between_two_sessions_ends_no_doubt(desk: Desk, clock: SteppingClock) -> None:
    running = desk.start("run", "PLAN", environ=clock.environ)
    desk.until_recorded("doubt_looked")
    running.signal(signal.SIGKILL)
    assert running.end().code == -signal.SIGKILL
    clock.step(_HOUR)
    running = desk.start("run", "PLAN", environ=clock.environ)
    desk.until_recorded("session_started", count=2)
    _looked_again(desk)
    _expect_sent_once(desk)
    running.signal()
    assert running.end().code == 5
    assert audit(desk.run_folder) == []


def test_nothing_times_out_by_a_step_of_the_clock(new_cloud: NewCloud, clock: SteppingClock) -> None:
    desk = new_cloud(2, fates=[ScriptedFate(fate=JobFate(end="hangs"))])
    desk.write(waves=[{"name": "all"}], follow={"timeout": "1h"})
    running = desk.start("run", "PLAN", environ=clock.environ)
    desk.until_recorded("job_seen", count=2)
    clock.step(48 * _HOUR)
    before = desk.books()["calls"]["job"]
    desk.until(lambda: desk.books()["calls"]["job"] >= before + 3)
    desk.until_recorded("clock_stepped")
    running.signal()
    assert running.end().code == 5
    assert set(desk.outcomes().values()) == {"in_flight"}
    assert audit(desk.run_folder) == []
