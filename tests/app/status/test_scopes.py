"""What `status` and the report say of a scope that cannot be used."""

from datetime import datetime, timedelta

import pytest
from fakes.clock import START
from fakes.stage import fold_all, plan_of, targets_of

from orchestrator.app.status.fleet_status import last_session
from orchestrator.app.status.outlook import Outlook, look
from orchestrator.app.status.scope_lines import scope_lines
from orchestrator.app.status.what_next.last_line import fleet_line
from orchestrator.model.record import record as r
from orchestrator.model.record.outcome import Outcome
from orchestrator.model.run.run import Run
from orchestrator.tracker.report.build import build_report

PLAN = plan_of(targets_of(1))
BEGUN = r.RunStarted(
    at=START,
    run_id="r",
    name="fleet",
    plan_sha256="0" * 64,
    target_version="2.24.03.000",
    orchestrator_version="1",
    targets=1,
    simulated=False,
    waves=("all",),
)
WAVE = r.WaveOpened(at=START, wave=PLAN.waves[0].name)
THROTTLED = r.ScopeThrottled(at=START, scope="default", until=START + timedelta(minutes=5), why="APIGW.0308")
LONG = r.ScopeThrottled(
    at=START, scope="default", until=START + timedelta(hours=9), why="429", probe_at=START + timedelta(hours=1)
)
PAUSED = r.ScopePaused(at=START, scope="default", why="no route")
GONE = r.ScopeGivenUp(at=START, scope="default", why="401: the token is wrong")
SILENT = r.ScopeSilent(at=START, scope="default", why="HTTP 503", since=START - timedelta(seconds=10))
HEARD = r.ScopeHeard(at=START, scope="default")
OPENED = r.ScopeOpened(at=START, scope="default")
HELD = r.HoldSet(at=START, cause="person", reason="incident", by="ann", host="h")
HELD_LATE = r.HoldSet(at=START + timedelta(minutes=59), cause="person", reason="later", by="ann", host="h")
ENDED = r.Settled(at=START, target=PLAN.proxies[0].proxy_id, outcome=Outcome.ALREADY)
AGAIN = r.SessionStarted(at=START, number=2, pid=1, host="h", orchestrator_version="1")


def used(minutes: float, calls: int = 1) -> r.ScopeUsed:
    at = START + timedelta(minutes=minutes)
    return r.ScopeUsed(at=at, scope="default", calls=calls, throttled=0, rate_limit=2.0, seconds=1.0)


def seen(run: Run, now: datetime, *, working: bool = False) -> Outlook:
    return look(PLAN, run, (), now, working=working)


def said(run: Run, now: datetime = START, *, working: bool = False) -> str:
    """What stands above the last line, and the last line, which names the one that is waited for."""
    asked = seen(run, now, working=working)
    return "; ".join([*scope_lines(asked), fleet_line(asked, "p.yaml")])


@pytest.mark.parametrize(
    ("records", "state", "says"),
    [
        ((), "unreached", None),
        ((OPENED,), "open", None),
        ((THROTTLED,), "throttled", "throttled by the cloud: APIGW.0308; until 2026-03-01 22:05:00 UTC, in 5 min"),
        ((LONG, PAUSED), "throttled", "asked again from 2026-03-01 23:00:00 UTC on, in 1 h 00 min"),
        ((PAUSED,), "paused", "which the last process could not use: no route, since 2026-03-01 22:00:00"),
        ((SILENT,), "silent", "which the last process could not use: HTTP 503, since 2026-03-01 21:59:50"),
        ((OPENED, SILENT, HEARD), "open", None),
        ((SILENT, OPENED), "open", None),
        ((SILENT, PAUSED), "paused", "no route"),
        ((OPENED, SILENT, AGAIN), "unreached", "scope default: it has not been reached by the last process; "),
        ((PAUSED, GONE), "given_up", "which the last process could not use: 401: the token is wrong"),
        ((PAUSED, OPENED), "open", None),
        ((GONE, AGAIN), "unreached", "it has not been reached by the last process"),
    ],
)
def test_each_scope_is_told_with_its_state_and_why(records: tuple[r.Record, ...], state: str, says: str | None) -> None:
    run = fold_all(PLAN, (BEGUN, *records))
    told = build_report(run, PLAN).head.scopes[0]
    assert (told.state, told.reason is None) == (state, state == "open")
    assert (told.since is None) == (state in ("open", "throttled") or BEGUN is [BEGUN, *records][-1])
    line = said(run)
    assert (says is None and "scope" not in line) or (says is not None and says in line)


def test_a_pause_that_is_over_is_told_no_more() -> None:
    assert "scope" not in said(fold_all(PLAN, (BEGUN, OPENED, THROTTLED)), START + timedelta(minutes=6))


def test_in_a_long_pause_a_start_is_named_that_asks_again() -> None:
    run, pause = fold_all(PLAN, (BEGUN, OPENED, LONG)), "throttled by the cloud: 429; until 2026-03-02 07:00:00 UTC"
    assert f"{pause}, one probe an hour, asked again from 2026-03-01 23:00:00 UTC on, in 1 h 00 min; " in said(run)
    assert said(run).endswith("do: nothing now; after that, orchestrator run p.yaml")
    late = said(run, START + timedelta(hours=2))
    assert f"{pause}, one probe an hour, the next start asks again; " in late
    assert late.endswith("do: orchestrator run p.yaml")


def test_a_scope_that_no_call_has_reached_is_not_called_open() -> None:
    run = fold_all(PLAN, (BEGUN, AGAIN))
    assert said(run, working=True).startswith("scope default: it has not been reached yet; waits for: ")
    assert said(run).startswith("scope default: it has not been reached by the last process; waits for: the next start")
    assert build_report(run, PLAN).head.scopes[0].reason == "it has not been reached in this session"


@pytest.mark.parametrize(
    ("records", "minutes", "working", "told"),
    [
        ((), 4.0, True, False),
        ((), 61.0, True, True),
        ((used(58.0),), 61.0, True, False),
        ((used(58.0, calls=0),), 61.0, True, True),
        ((), 61.0, False, False),
        ((HELD_LATE,), 61.0, False, True),
        ((PAUSED,), 61.0, True, False),
        ((ENDED,), 61.0, True, False),
    ],
    ids=["at once", "idle", "asked lately", "no call", "dead at once", "dead when idle", "paused", "nothing left"],
)
def test_an_open_scope_that_nobody_asks_is_told_with_when_it_was_last_asked(
    records: tuple[r.Record, ...], minutes: float, working: bool, told: bool
) -> None:
    run = fold_all(PLAN, (BEGUN, AGAIN, OPENED, *records))
    line = said(run, START + timedelta(minutes=minutes), working=working)
    assert ("scope default: open when it was last asked, at 2026-03-01 22:00:00 UTC, 1 h 01 min ago" in line) == told
    assert ("open when it was last asked" in line) == told


def test_a_scope_that_the_run_waits_for_is_told_once_and_another_beside_it() -> None:
    for records, lines in (((GONE,), 0), ((GONE, HELD), 1)):
        asked = seen(fold_all(PLAN, (BEGUN, WAVE, *records)), START)
        assert len(list(scope_lines(asked))) == lines
        assert "\n".join([*scope_lines(asked), fleet_line(asked, "p.yaml")]).count("401: the token is wrong") == 1


def test_a_scope_that_was_given_up_is_named_once_where_the_session_ended() -> None:
    why = "what is left waits for scopes that cannot be used: default"
    for words, told in ((why, why), ("stopped by SIGTERM", "scopes given up: default; stopped by SIGTERM")):
        ended = r.SessionEnded(at=START, exit_code=7, why=words)
        assert last_session(fold_all(PLAN, (BEGUN, AGAIN, GONE, ended))).endswith(f"ended with 7: {told}")


def test_a_code_that_came_from_a_scope_is_not_laid_on_the_signal() -> None:
    ended = r.SessionEnded(at=START, exit_code=7, why="stopped by SIGTERM")
    assert last_session(fold_all(PLAN, (BEGUN, GONE, ended))).endswith(
        "the last one ended with 7: scopes given up: default; stopped by SIGTERM"
    )
