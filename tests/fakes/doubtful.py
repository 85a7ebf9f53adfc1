"""The report of a run with every kind of doubt: one a person decides, one looked for, one late."""

from datetime import timedelta

from fakes.recorded import BEGIN, NEW, OLD, empty_run, make_plan, make_targets, run_started

from orchestrator.model.record import record as r
from orchestrator.model.record.record import Record
from orchestrator.model.reply.reply import Entry
from orchestrator.tracker.report.build import Story, build_report

TARGETS = make_targets(5)
LEFT, LOOKED_FOR, LATE, TURNED_AWAY, _ = (target.proxy_id for target in TARGETS)
FINDING = "the job list shows no accepted workflow of ours, so absence proves nothing"


def _at(minutes: float) -> timedelta:
    return timedelta(minutes=minutes)


def _intent(key: str, minute: float, attempt: int = 1) -> Record:
    return r.Intent(
        at=BEGIN + _at(minute),
        target=key,
        attempt=attempt,
        wave="canary",
        token="t",
        source_version=OLD,
        target_version=NEW,
    )


def _turned_away(attempt: int, minute: float) -> list[Record]:
    at = BEGIN + _at(minute) + timedelta(milliseconds=250)
    key, until = TURNED_AWAY, at + _at(1)
    return [
        _intent(key, minute, attempt),
        r.AnswerSeen(at=at, target=key, attempt=attempt, verdict="throttled", http_status=429, duration_ms=250),
        r.Postponed(at=at, target=key, wave="canary", until=until, why="throttled", attempt=attempt),
    ]


def doubtful_records() -> list[Record]:
    """What happened, behind the run's first record."""
    accepted = Entry(state="ACCEPT", workflow_id="7c1d0000-0000-4000-8000-000000000007")
    return [
        r.WaveOpened(at=BEGIN, wave="canary"),
        _intent(LEFT, 0),
        r.AnswerSeen(at=BEGIN, target=LEFT, attempt=1, verdict="in_doubt", reason="the connection was closed"),
        r.DoubtLooked(at=BEGIN + _at(5), target=LEFT, finding=FINDING),
        r.DoubtRemains(at=BEGIN + _at(11), target=LEFT, attempt=1, why=FINDING),
        _intent(LOOKED_FOR, 1),
        r.AnswerMissing(at=BEGIN + _at(1), target=LOOKED_FOR, attempt=1),
        _intent(LATE, 2),
        r.AnswerSeen(
            at=BEGIN + _at(2), target=LATE, attempt=1, verdict="accepted", http_status=200, update_result=(accepted,)
        ),
        r.FollowTimedOut(at=BEGIN + _at(30), target=LATE, attempt=1, why="no end within 28 min"),
        *_turned_away(1, 3),
        *_turned_away(2, 5),
    ]


def doubtful_story(*, hold: bool = False) -> Story:
    """Its report, when a session has ended with 6, or with 3 by a hold that two of them caused."""
    plan = make_plan(TARGETS)
    run = empty_run(plan, TARGETS)
    for record in (run_started(len(TARGETS)), *doubtful_records()):
        run.apply(record)
    if hold:
        why = "2 failures, 1 allowed for the fleet"
        run.apply(r.HoldSet(at=BEGIN + _at(30), cause="failures", reason=why, proxy_ids=(LEFT, LATE)))
    return build_report(run, plan, exit_code=3 if hold else 6, named="night.yaml")
