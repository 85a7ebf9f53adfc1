"""What the text report says of proxies that got more than one upgrade call."""

from fakes.recorded import BEGIN, NEW, OLD, empty_run, make_plan, make_targets, run_started

from orchestrator.model.record import record as r
from orchestrator.model.record.record import Record
from orchestrator.model.reply.reply import Entry
from orchestrator.tracker.report.build import build_report
from orchestrator.tracker.report.text_form import text_lines

TARGETS = make_targets(2)
ONCE, TWICE = (target.proxy_id for target in TARGETS)
TITLE = "More than one upgrade call: each with its answer, and what was found"


def intent(key: str, attempt: int) -> r.Intent:
    return r.Intent(
        at=BEGIN, target=key, attempt=attempt, wave="canary", token="t", source_version=OLD, target_version=NEW
    )


def accepted(key: str, attempt: int) -> r.AnswerSeen:
    entry = Entry(workflow_id=f"workflow-{key}", state="ACCEPT")
    return r.AnswerSeen(
        at=BEGIN, target=key, attempt=attempt, verdict="accepted", http_status=200, update_result=(entry,)
    )


def lines(*records: Record) -> list[str]:
    plan = make_plan(TARGETS)
    run = empty_run(plan, TARGETS)
    for record in (run_started(2), r.WaveOpened(at=BEGIN, wave="canary"), *records):
        run.apply(record)
    return list(text_lines(build_report(run, plan)))


def test_each_call_stands_there_with_its_answer_and_what_was_found() -> None:
    said = lines(
        intent(ONCE, 1),
        accepted(ONCE, 1),
        intent(TWICE, 1),
        r.AnswerMissing(at=BEGIN, target=TWICE, attempt=1),
        r.DoubtLooked(at=BEGIN, target=TWICE, finding="the job list shows nothing of it"),
        r.AttemptDisproved(at=BEGIN, target=TWICE, attempt=1, evidence="no job after 15 min"),
        intent(TWICE, 2),
        accepted(TWICE, 2),
    )
    start = said.index(TITLE)
    section = said[start + 1 : said.index("", start)]
    assert [line.strip().partition(" at ")[0] for line in section] == [
        f"app=a1 {TWICE}",
        "attempt 1",
        "attempt 2",
        "the job list shows nothing of it",
        "no job after 15 min",
    ]
    assert section[1].endswith("no answer came")
    assert section[2].endswith("HTTP 200, accepted")


def test_a_run_in_which_each_was_sent_once_has_no_such_section() -> None:
    assert TITLE not in lines(intent(ONCE, 1), accepted(ONCE, 1))
