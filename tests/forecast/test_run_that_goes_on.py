"""The forecast of a run that goes on: from where it stands, with what was sent and what is open."""

from datetime import timedelta

import pytest
from fakes.rehearsals import SOFT
from fakes.stage import Played, Stage, later, plan_of, resume, targets_of

from orchestrator.forecast.forecast import rehearse
from orchestrator.model.plan.amount import Amount
from orchestrator.model.plan.plan import Follow, Limits, Plan, Wave
from orchestrator.model.record.record import Intent

_WAVES = (Wave(name="canary", size=Amount(2)), Wave(name="half", size=Amount(50, percent=True)), Wave(name="rest"))


def _plan(waves: tuple[Wave, ...] = _WAVES) -> Plan:
    limits = Limits(in_flight=Amount(3), rate=10.0, ramp=False)
    return plan_of(targets_of(24), waves=waves, limits=limits, failures=SOFT, follow=Follow(expected_s=300.0))


def _stopped(stage: Stage, after_s: float) -> Played:
    stage.script = (later(after_s, lambda dispatcher: dispatcher.stop("stopped by SIGTERM")),)
    return stage.play()


@pytest.mark.parametrize("after_s", [30.0, 500.0, 1000.0, 2200.0])
def test_it_takes_what_was_sent_and_what_is_open_into_account(after_s: float) -> None:
    plan = _plan()
    stage = Stage(plan=plan)
    played = _stopped(stage, after_s)
    sent, is_open = played.cloud.books.total(), played.run.tally.fleet.open
    again = resume(stage, played, after=timedelta(minutes=1))
    told = rehearse(plan, plan.proxies, start=again.start, begun=played.run)
    assert (played.run.tally.fleet.open, len(played.run.sessions)) == (is_open, 1), "the run is left as it is"
    went_on = again.play()
    assert 0 < sent < 24
    assert told.unfinished is None
    assert told.duration_s.p5 <= went_on.seconds <= told.duration_s.p95
    new = went_on.records[len(played.records) :]
    starting = {record.wave for record in new if isinstance(record, Intent)}
    assert {wave.name for wave in told.waves if wave.starts_at is not None} == starting


@pytest.mark.parametrize(("hours", "left_s"), [(0.5, 5400.0), (3.0, 0.0)])
def test_it_waits_for_what_is_left_of_a_soak_that_an_earlier_session_began(hours: float, left_s: float) -> None:
    soaking = (Wave(name="canary", size=Amount(2), soak_s=7200.0), Wave(name="rest"))
    stage = Stage(plan=_plan(soaking))
    played = _stopped(stage, 1000.0)
    again = resume(stage, played, after=timedelta(hours=hours))
    offset_s = played.run.timeline.offsets["default"]
    told = rehearse(stage.plan, stage.plan.proxies, start=again.start, begun=played.run, clouds={"default": offset_s})
    starts_s = next(wave.starts_s for wave in told.waves if wave.name == "rest")
    assert starts_s is not None
    assert left_s - 1000.0 <= starts_s.p50 <= left_s + 5.0, "it began before the session ended"
