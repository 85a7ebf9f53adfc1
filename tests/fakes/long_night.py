"""The report of a night with everything in it: windows, a freeze, throttling, a pause, a hold and a release."""

from datetime import datetime, timedelta
from itertools import count

from fakes.recorded import BEGIN, NEW, OLD, empty_run, make_plan, make_targets, run_started
from msgspec.structs import replace

from orchestrator.app.report.full_story import full_story
from orchestrator.model.plan.plan import Freeze, Plan, Window
from orchestrator.model.plan.target import Facts
from orchestrator.model.record import record as r
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.record.record import Record
from orchestrator.model.reply.reply import Entry
from orchestrator.model.run.run import Run
from orchestrator.tracker.report.build import Story

NO_IP = "Upgrade failed due to insufficient subnet ip"
TIMED_OUT = 31
_ENDS = {7: Outcome.REJECTED, 11: Outcome.REJECTED, 23: Outcome.FAILED, 44: Outcome.REJECTED}


def _at(minutes: float) -> timedelta:
    return timedelta(minutes=minutes)


def _one(key: str, number: int, minute: float) -> list[Record]:
    begin = BEGIN + _at(minute)
    outcome = _ENDS.get(number, Outcome.SUCCEEDED)
    refused = outcome is Outcome.REJECTED
    job = f"{number:08x}-0000-4000-8000-{number:012x}"
    entry = Entry(state="REJECT", error_message=NO_IP) if refused else Entry(state="ACCEPT", workflow_id=job)
    wave = "canary" if number == 0 else "rest"
    return [
        r.Intent(at=begin, target=key, attempt=1, wave=wave, token="t", source_version=OLD, target_version=NEW),
        r.AnswerSeen(
            at=begin,
            target=key,
            attempt=1,
            verdict="rejected" if refused else "accepted",
            http_status=200,
            request_id=f"{number:032x}",
            update_result=(entry,),
        ),
        _end(key, number, begin, outcome, wave),
    ]


def _end(key: str, number: int, begin: datetime, outcome: Outcome, wave: str) -> Record:
    if number == TIMED_OUT:
        return r.FollowTimedOut(at=begin + _at(30), target=key, attempt=1, why="no end within 30 min")
    refused, version = outcome is Outcome.REJECTED, NEW if outcome is Outcome.SUCCEEDED else None
    end = begin + _at(0.1 if refused else 9 + number % 5)
    return r.Settled(
        at=end, target=key, outcome=outcome, wave=wave, reason=NO_IP if refused else None, verified_version=version
    )


def _course() -> list[Record]:
    """What happened to the run itself."""
    used = [
        r.ScopeUsed(at=BEGIN + _at(minute), scope="default", calls=calls, throttled=0, rate_limit=2.0, seconds=60.0)
        for minute, calls in zip(
            count(1), (10, 20, 30, 100, 110, 90, 60, 20, 10, 5, 0, 0, 40, 90, 115, 80), strict=False
        )
        if calls
    ]
    return [
        *used,
        r.SessionStarted(at=BEGIN, number=1, pid=7, host="ops-1", orchestrator_version="0.1.0", user="ana"),
        r.WaveOpened(at=BEGIN, wave="canary"),
        r.WaveDone(at=BEGIN + _at(12), wave="canary"),
        r.WaveOpened(at=BEGIN + _at(12), wave="rest"),
        r.ScopeThrottled(at=BEGIN + _at(20), scope="default", until=BEGIN + _at(26), why="HTTP 429, Retry-After 360"),
        r.ScopePaused(at=BEGIN + _at(40), scope="default", why="no answer: connection refused"),
        r.ScopeOpened(at=BEGIN + _at(45), scope="default"),
        r.HoldSet(at=BEGIN + _at(60), cause="rejected", reason="2 rejected, 1 allowed for the fleet"),
        r.SessionEnded(at=BEGIN + _at(66), exit_code=3, why="held"),
        r.SessionStarted(at=BEGIN + _at(80), number=2, pid=8, host="ops-1", orchestrator_version="0.1.0", user="ana"),
        r.HoldReleased(at=BEGIN + _at(82), by="ana", note="subnet enlarged"),
        r.SessionEnded(at=BEGIN + _at(200), exit_code=6, why="a person is needed"),
    ]


def night_plan(targets: int) -> Plan:
    """A window that closes in the night, and a freeze."""
    return replace(
        make_plan(make_targets(targets)),
        windows=(Window(opens=20 * 60, closes=24 * 60 - 1, timezone="UTC"),),
        freezes=(Freeze(start="2026-03-02", end="2026-03-02", timezone="UTC"),),
    )


def night_run(targets: int = 60) -> tuple[Run, Plan]:
    """The run, and its plan."""
    plan = night_plan(targets)
    made = [
        replace(each, facts=Facts(name=f"orders-{number:02}", tags={"team": "orders"}))
        for number, each in enumerate(make_targets(targets))
    ]
    run = empty_run(plan, made)
    records: list[Record] = [*_course()]
    for number, target in enumerate(made):
        records += _one(target.proxy_id, number, 0.5 if number == 0 else 12 + 2.7 * number)
    for record in (run_started(targets), *sorted(records, key=lambda each: each.at)):
        run.apply(record)
    return run, plan


def night_story(targets: int = 60) -> Story:
    """Its report."""
    return full_story(*night_run(targets), exit_code=6, named="/etc/orchestrator/night.yaml --state /var/lib/orch")
