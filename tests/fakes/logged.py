"""What is added to the log of a run in a database."""

from fakes.recorded import BEGIN, NEW, OLD, make_plan, make_targets, run_started

from orchestrator.model.record import record as r
from orchestrator.model.record.record import Record
from orchestrator.model.reply.reply import Entry
from orchestrator.tracker.postgres.database_run import DatabaseRun
from orchestrator.tracker.postgres.database_state import DatabaseState

TARGETS = make_targets(3)
PLAN = make_plan(TARGETS)
A, B, _ = (target.proxy_id for target in TARGETS)


def intent(key: str, attempt: int = 1) -> r.Intent:
    return r.Intent(
        at=BEGIN, target=key, attempt=attempt, wave="rest", token="t", source_version=OLD, target_version=NEW
    )


def answer(key: str) -> r.AnswerSeen:
    entry = Entry(workflow_id=f"w-{key}", state="ACCEPT")
    return r.AnswerSeen(at=BEGIN, target=key, attempt=1, verdict="accepted", update_result=(entry,))


def missing(key: str) -> r.AnswerMissing:
    return r.AnswerMissing(at=BEGIN, target=key, attempt=1)


def begun(state: DatabaseState) -> DatabaseRun:
    return state.fleet("prod").begin(PLAN, TARGETS, run_started(3))


def kept(state: DatabaseState) -> list[Record]:
    (run,) = state.fleet("prod").runs()
    return [record for _, record in run.records()][1:]
